/**
 * A sign-in that an application asks for (RFC 6749 §4.1, OpenID Connect Core §3.1.2), from its query to
 * the code: checked, shown to a person, allowed or denied by them. Spending the code is not here.
 */
import { oauthCodeLifeSec, oauthRequestLifeSec, oauthTextMaxChars } from "../../../schema/bound.ts";
import { recordedBy } from "../../domain/by.ts";
import { hashOf, opaqueBytes, opaqueToken } from "../../domain/opaque.ts";
import { isChallenge } from "../../domain/pkce.ts";
import { invalid, Problem } from "../../domain/problem.ts";
import { withParams } from "../../domain/redirect.ts";
import { beyond, given, isScope, readScope } from "../../domain/scope.ts";
import type { Reader, Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AuditService } from "../audit/service.ts";
import type { Author } from "./client.ts";
import type { KnownClient, Request, RequestDraft } from "./store.ts";
import * as rows from "./store.ts";

export interface RequestDeps {
  readonly store: Store;
  readonly random: Random;
  readonly audit: Pick<AuditService, "append">;
  readonly issuer: () => string;
}

/** Parameters by name; of those that are not known none is read. */
export type Params = Readonly<Record<string, string | undefined>>;

/** What the page shows. */
export interface Asked {
  readonly requestId: string;
  readonly clientName: string;
  readonly scopes: readonly string[];
  /** Where whoever does not want to sign in goes. */
  readonly cancelTo: string;
}

export type AuthorizeAnswer = { readonly asked: Asked } | { readonly redirectTo: string };

/** The person who answers. */
export interface Answerer extends Author {
  readonly userNo: number;
  /** Of their own token. */
  readonly sid: string;
}

/** An answer for the application by way of the browser (RFC 6749 §4.1.2.1). */
class Declined extends Error {
  override readonly name = "Declined";

  constructor(
    readonly error: string,
    readonly description: string,
  ) {
    super(description);
  }
}

export function requestPart({ store, random, audit, issuer }: RequestDeps) {
  /**
   * Checks what an application asks for; what is good is kept for ten minutes.
   * @throws Problem `validation-error` the application or the address is not known: nobody to lead back to
   */
  async function authorize(params: Params, nowMs: number): Promise<AuthorizeAnswer> {
    const client = await store.read((q) => clientOf(q, params));
    const redirectUri = redirectOf(client, params);
    const state = textOf(params.state);
    const back = (answer: Readonly<Record<string, string>>): string =>
      withParams(redirectUri, { ...answer, state, iss: issuer() });
    try {
      const draft = readDraft(client, redirectUri, params, nowMs);
      const uuid = random.uuid(nowMs);
      const expiresAtMs = nowMs + oauthRequestLifeSec * 1000;
      await store.write((tx) => rows.insertRequest(tx, uuid, draft, expiresAtMs, nowMs));
      const cancelTo = back({ error: "access_denied", error_description: "It was cancelled." });
      const { scopes } = draft;
      return { asked: { requestId: uuid, clientName: client.name, scopes, cancelTo } };
    } catch (error) {
      if (!(error instanceof Declined)) throw error;
      return {
        redirectTo: back({ error: error.error, error_description: error.description }),
      };
    }
  }

  /**
   * Gives the application what it asked for, as far as the person holds it; answers where the browser
   * goes, with a code that works once within a minute.
   * @throws Problem `not-found`, `wrong-state`
   */
  async function approve(
    tx: Writer,
    by: Answerer,
    requestId: string,
    nowMs: number,
  ): Promise<string> {
    const request = await open(tx, by, requestId, nowMs);
    const signedInAtMs = await rows.signedInAt(tx, by.sid);
    if (signedInAtMs === undefined || signedInAtMs < request.signedInFromMs) {
      throw wrongState("sign-in-required", "The application asks for a fresh sign-in.");
    }
    const { userNo, tenantId, permissions } = by;
    const scopes = given(request.scopes, permissions);
    const code = opaqueToken("oc_", random.bytes(opaqueBytes));
    await rows.approveRequest(tx, request.requestNo, { userNo, tenantId, signedInAtMs }, scopes, {
      hash: hashOf(code),
      expiresAtMs: nowMs + oauthCodeLifeSec * 1000,
    });
    await tell(tx, by, "auth.client.approved", request, scopes, nowMs);
    return withParams(request.redirectUri, { code, state: request.state, iss: issuer() });
  }

  /** @throws Problem `not-found`, `wrong-state` */
  async function deny(tx: Writer, by: Answerer, requestId: string, nowMs: number): Promise<string> {
    const request = await open(tx, by, requestId, nowMs);
    await rows.denyRequest(tx, request.requestNo);
    await tell(tx, by, "auth.client.denied", request, request.scopes, nowMs);
    const error = { error: "access_denied", error_description: "The person denied it." };
    return withParams(request.redirectUri, { ...error, state: request.state, iss: issuer() });
  }

  /** A request that still waits for an answer, of an application for people of this tenant. */
  async function open(
    tx: Writer,
    { tenantId }: Answerer,
    requestId: string,
    nowMs: number,
  ): Promise<Request> {
    const request = await rows.findRequest(tx, requestId);
    const isFor = request && (await rows.isWithin(tx, request.clientTenantId, tenantId));
    if (request === undefined || !isFor) {
      throw new Problem("not-found", "There is no such request for people of your organisation.");
    }
    if (request.status !== "pending") {
      throw wrongState(request.status, `The request is ${request.status} already.`);
    }
    if (nowMs >= request.expiresAtMs) throw wrongState("expired", "The request has expired.");
    if (request.clientGone) throw wrongState("deleted", "The application has been removed.");
    return request;
  }

  /** In the record of the tenant for which the person answers. */
  async function tell(
    tx: Writer,
    { tenantId, by }: Answerer,
    action: string,
    { uuid, clientUuid, clientName }: Request,
    scopes: readonly string[],
    atMs: number,
  ): Promise<void> {
    const entity = { entityType: "client", entityId: clientUuid };
    const metadata = { requestId: uuid, name: clientName, scopes };
    await audit.append(tx, { tenantId, atMs, action, ...entity, ...recordedBy(by), metadata });
  }

  return { authorize, approve, deny, purge: rows.purgeRequests };
}

const wrongState = (state: string, detail: string): Problem =>
  new Problem("wrong-state", detail, { members: { state } });

const faulty = (field: string, message: string, code: "REQUIRED" | "NOT_ALLOWED"): Problem =>
  invalid([{ field, message, code }], "query");

async function clientOf(q: Reader, { client_id: id }: Params): Promise<KnownClient> {
  if (id === undefined || id === "") throw faulty("client_id", "Is required", "REQUIRED");
  const client = await rows.knownClient(q, id);
  if (client === undefined) {
    throw faulty("client_id", "There is no such application", "NOT_ALLOWED");
  }
  return client;
}

function redirectOf({ redirectUris }: KnownClient, { redirect_uri: uri }: Params): string {
  if (uri === undefined || uri === "") throw faulty("redirect_uri", "Is required", "REQUIRED");
  if (!redirectUris.includes(uri)) {
    throw faulty("redirect_uri", "Is none of the application's addresses", "NOT_ALLOWED");
  }
  return uri;
}

/** What is too long is not sent back. */
const textOf = (value: string | undefined): string | null =>
  value !== undefined && value.length <= oauthTextMaxChars ? value : null;

function readDraft(
  client: KnownClient,
  redirectUri: string,
  params: Params,
  nowMs: number,
): RequestDraft {
  checkFlow(client, params);
  for (const name of ["state", "nonce"]) {
    if ((params[name] ?? "").length > oauthTextMaxChars) {
      throw new Declined("invalid_request", `${name} is longer than ${oauthTextMaxChars}.`);
    }
  }
  const challenge = params.code_challenge ?? "";
  if (!isChallenge(challenge) || params.code_challenge_method !== "S256") {
    throw new Declined("invalid_request", "A code_challenge by S256 is due.");
  }
  return {
    clientNo: client.clientNo,
    redirectUri,
    scopes: scopesOf(client, params.scope),
    state: textOf(params.state),
    nonce: textOf(params.nonce),
    codeChallenge: challenge,
    signedInFromMs: signedInFrom(params, nowMs),
  };
}

function checkFlow({ tenantStatus, grantTypes }: KnownClient, params: Params): void {
  const { response_type: type, response_mode: mode } = params;
  if (tenantStatus !== "active") {
    throw new Declined("access_denied", "The application's organisation is blocked.");
  }
  if (params.request !== undefined) {
    throw new Declined("request_not_supported", "request is not supported.");
  }
  if (params.request_uri !== undefined) {
    throw new Declined("request_uri_not_supported", "request_uri is not supported.");
  }
  if (type === undefined || type === "") {
    throw new Declined("invalid_request", "response_type is required.");
  }
  if (type !== "code") {
    throw new Declined("unsupported_response_type", "response_type must be code.");
  }
  if (!grantTypes.includes("authorization_code")) {
    throw new Declined("unauthorized_client", "The application may not ask for a code.");
  }
  if (mode !== undefined && mode !== "query") {
    throw new Declined("invalid_request", "response_mode must be query.");
  }
}

function scopesOf({ scopes: registered }: KnownClient, text: string | undefined) {
  const scopes = readScope(text);
  if (scopes === undefined) throw new Declined("invalid_scope", "scope has a faulty form.");
  const wrong = scopes.filter((scope) => !isScope(scope));
  const lacking = [...wrong, ...beyond(scopes, registered)];
  if (lacking.length === 0) return scopes;
  throw new Declined("invalid_scope", "The application is not registered for all of scope.");
}

/** `prompt` and `max_age` (OpenID Connect Core §3.1.2.1): since when the person must have signed in. */
function signedInFrom({ prompt = "", max_age: maxAge }: Params, nowMs: number): number {
  const prompts = prompt.split(" ");
  if (prompts.includes("none")) {
    if (prompts.length > 1) throw new Declined("invalid_request", "prompt=none stands alone.");
    throw new Declined("login_required", "Signing in takes a person.");
  }
  if (maxAge !== undefined && !/^[0-9]{1,9}$/.test(maxAge)) {
    throw new Declined("invalid_request", "max_age must be seconds.");
  }
  if (prompts.includes("login")) return nowMs;
  return maxAge === undefined ? 0 : nowMs - Number(maxAge) * 1000;
}
