/**
 * What a handler returned, as a response: text, entity tag, 304, and in development the check that it
 * is what the contract says. Refusals are `problem.ts`.
 */
import { alwaysHeaders, jsonHeaders } from "./context.ts";
import { etagOf, isNoneMatch } from "./etag.ts";
import { answerText, type Exchange } from "./exchange.ts";
import { notModified } from "./route.ts";
import type { CompiledRoute } from "./surface.ts";

/** The answer to a call whose handler returned `value`. */
export function respond(exchange: Exchange, compiled: CompiledRoute, value: unknown): Response {
  const { route, request, headers, surface, written, claim } = exchange;
  if (value === notModified) return send(exchange, 304, "");
  const mustMatch = claim !== null || surface.deps.checkAnswers;
  if (mustMatch && written !== null && written.value !== value) {
    // Else a replay would differ from the answer.
    throw new Error(`${route.operationId}: the answer is not what its write returned`);
  }
  const text = answerText(value);
  if (surface.deps.checkAnswers) checkAnswer(compiled, text);
  if (route.etag === true) {
    const tag = etagOf(text);
    headers.etag = tag;
    headers["cache-control"] = "no-cache";
    if (isNoneMatch(request.headers.get("if-none-match"), tag)) return send(exchange, 304, "");
  }
  return send(exchange, route.status, text);
}

function checkAnswer({ route, response }: CompiledRoute, text: string): void {
  if (response === null) {
    if (text !== "") throw new Error(`${route.operationId}: a body where there is to be none`);
    return;
  }
  const value: unknown = JSON.parse(text);
  if (response.check(value)) return;
  const { path, expected } = response.fault(value, "body");
  throw new Error(`${route.operationId}: answer ${path}: ${expected}`);
}

/** An answer of this call with the headers that every answer carries. */
export function send(
  { requestId, headers }: Exchange,
  status: number,
  text: string,
  extra?: Readonly<Record<string, string>>,
): Response {
  const response =
    text === ""
      ? new Response(null, { status, headers: alwaysHeaders })
      : new Response(text, { status, headers: jsonHeaders });
  const all = response.headers;
  all.set("x-request-id", requestId);
  for (const name in headers) all.set(name, headers[name]!);
  for (const name in extra) all.set(name, extra[name]!);
  return response;
}
