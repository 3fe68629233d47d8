/**
 * What a handler returned, as a response; in development and staging the check that it is what the
 * contract says. Failures are `problem.ts`.
 */
import { Problem } from "../../domain/problem.ts";
import { alwaysHeaders, jsonHeaders } from "../context.ts";
import { corsHeaders } from "./cors.ts";
import { answerText, type PlatformExchange } from "./exchange.ts";
import { faultsOf } from "./fault.ts";
import type { CompiledPlatformRoute } from "./surface.ts";

/** The answer to a call whose handler returned `value`. @throws Problem response-validation-failed */
export function respond(
  x: PlatformExchange,
  compiled: CompiledPlatformRoute,
  value: unknown,
): Response {
  const { surface, written, claim, route } = x;
  if (value instanceof Response) return withHeaders(x, compiled, value);
  const mustMatch = claim !== null || surface.deps.checkAnswers;
  if (mustMatch && written !== null && written.value !== value) {
    // Else a replay would differ from the answer.
    throw new Error(`${route.operationId}: the answer is not what its write returned`);
  }
  x.locate(value);
  const { kept } = x;
  const text = kept !== null && kept.value === value ? kept.text : answerText(value);
  if (surface.deps.checkAnswers) checkAnswer(x, compiled, text);
  return send(x, x.status, text, x.headers);
}

function withHeaders(
  x: PlatformExchange,
  compiled: CompiledPlatformRoute,
  response: Response,
): Response {
  if (x.surface.deps.checkAnswers) checkStatus(x, compiled, response.status);
  for (const [name, value] of Object.entries({ ...answerHeaders(x), ...x.headers })) {
    if (!response.headers.has(name)) response.headers.set(name, value);
  }
  return response;
}

/** An answer of this call with the headers that every answer carries. */
export function send(
  x: PlatformExchange,
  status: number,
  text: string,
  extra: Readonly<Record<string, string>>,
): Response {
  const response =
    text === ""
      ? new Response(null, { status, headers: alwaysHeaders })
      : new Response(text, { status, headers: jsonHeaders });
  setOwn(response.headers, x);
  setAll(response.headers, extra);
  return response;
}

/** What every answer of a call carries, failures too. */
export function answerHeaders(x: PlatformExchange): Record<string, string> {
  const headers = new Headers(alwaysHeaders);
  setOwn(headers, x);
  return Object.fromEntries(headers);
}

/** What differs from call to call. */
function setOwn(headers: Headers, x: PlatformExchange): void {
  headers.set("x-request-id", x.requestId);
  headers.set("x-trace-id", x.traceId);
  if (x.limitHeaders !== null) setAll(headers, x.limitHeaders);
  if (x.notice !== null) setAll(headers, x.notice.headers);
  const cors = corsHeaders(x.surface.deps.corsOrigins, x.request);
  if (cors !== null) setAll(headers, cors);
}

function setAll(headers: Headers, more: Readonly<Record<string, string>>): void {
  for (const name in more) headers.set(name, more[name]!);
}

function checkStatus(x: PlatformExchange, compiled: CompiledPlatformRoute, status: number): void {
  if (status >= 400 || compiled.statuses.has(status)) return;
  fail(x, `status ${status} is not declared`);
}

function checkAnswer(x: PlatformExchange, compiled: CompiledPlatformRoute, text: string): void {
  checkStatus(x, compiled, x.status);
  const { response } = compiled;
  if (text === "") {
    if (response !== null && x.status !== 204) fail(x, "there is no body");
    return;
  }
  if (response === null || x.status === 204) fail(x, "there is a body");
  const value: unknown = JSON.parse(text);
  if (response.check(value)) return;
  const [fault] = faultsOf(response.schema, value);
  fail(x, `${fault?.field ?? ""}: ${fault?.code ?? "is of another form"}`);
}

/** @throws Problem response-validation-failed, after people were told. */
function fail(x: PlatformExchange, fault: string): never {
  const { route, surface, requestId, path, caller } = x;
  const detail = `The answer of ${route.operationId} breaks its document: ${fault}.`;
  surface.deps.reportFault(new Error(detail), requestId, path);
  surface.deps.alert?.({
    kind: "response-validation",
    route: `${route.method} ${route.path}`,
    detail,
    tenantId: caller?.tenantId ?? null,
  });
  throw new Problem("response-validation-failed", detail);
}
