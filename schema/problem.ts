/**
 * The closed list of problems of the operator surface: slug, status, when it comes up, and whether the
 * same request may pass later. A slug that is not here can't be answered. The readable page behind a
 * problem's `type` is made from its row.
 */
export interface ProblemRow {
  readonly status: number;
  /** One line, for the page. */
  readonly when: string;
  /**
   * `no`: the same request fails again until something else changes; `wait`: after `Retry-After`; `key`:
   * safe to repeat with the same Idempotency-Key; else what to do first.
   */
  readonly retry: string;
}

const rows = {
  "validation-error": {
    status: 400,
    when: "a field of the body, query or headers breaks its schema; `errors` names each",
    retry: "no",
  },
  "malformed-json": { status: 400, when: "body is not JSON or not UTF-8", retry: "no" },
  "invalid-cursor": {
    status: 400,
    when: "cursor tampered, foreign, or of another filter",
    retry: "no",
  },
  "idempotency-key-required": {
    status: 400,
    when: "the call moves money and has no Idempotency-Key",
    retry: "no",
  },
  "idempotency-key-invalid": {
    status: 400,
    when: "the Idempotency-Key is no UUID of version 4 or 7",
    retry: "no",
  },
  "invalid-amount": { status: 400, when: "amount not an integer ≥ 1", retry: "no" },
  "insufficient-funds": { status: 400, when: "available < amount", retry: "no" },
  "currency-mismatch": {
    status: 400,
    when: "currencies of request or wallets differ",
    retry: "no",
  },
  "target-not-allowed": {
    status: 400,
    when: "outbound URL not https and public, nor listed",
    retry: "no",
  },
  "unknown-channel": { status: 400, when: "no such notification channel", retry: "no" },
  "sunset-too-soon": { status: 400, when: "sunset less than 6 months ahead", retry: "no" },
  unauthorized: {
    status: 401,
    when: "no token, a bad one, or one of another issuer, audience or key; bad webhook signature",
    retry: "no",
  },
  "token-expired": {
    status: 401,
    when: "access token or mail link past its life",
    retry: "refresh",
  },
  "token-revoked": {
    status: 401,
    when: "membership, password or key changed since",
    retry: "sign in",
  },
  "token-invalid": { status: 401, when: "mail link unknown or used", retry: "no" },
  "invalid-credentials": {
    status: 401,
    when: "email/password, key, code or signature wrong",
    retry: "no",
  },
  "mfa-required": { status: 401, when: "the second factor is missing", retry: "with code" },
  "mfa-invalid": {
    status: 401,
    when: "the second factor is wrong or was used before",
    retry: "with code",
  },
  "refresh-token-invalid": {
    status: 401,
    when: "unknown, expired or logged out",
    retry: "sign in",
  },
  "refresh-token-reused": {
    status: 401,
    when: "used again after the 10 s grace; family revoked",
    retry: "sign in",
  },
  "session-token-invalid": {
    status: 401,
    when: "`st_` unknown, used or older than 5 min",
    retry: "sign in",
  },
  "plan-limit-exceeded": {
    status: 402,
    when: "a counted limit of the plan is reached",
    retry: "no",
  },
  "subscription-suspended": { status: 402, when: "the subscription is suspended", retry: "no" },
  "subscription-terminated": { status: 402, when: "the subscription has ended", retry: "no" },
  forbidden: { status: 403, when: "the permission is missing", retry: "no" },
  "tenant-blocked": { status: 403, when: "the tenant is blocked", retry: "no" },
  "account-blocked": { status: 403, when: "every membership of the user is blocked", retry: "no" },
  "registration-closed": { status: 403, when: "self-registration is off", retry: "no" },
  "no-tenant": { status: 403, when: "the user has no tenant", retry: "no" },
  "tenant-not-allowed": { status: 403, when: "not a member of the chosen tenant", retry: "no" },
  "email-not-verified": {
    status: 403,
    when: "money call before the email was verified",
    retry: "no",
  },
  "impersonation-restricted": {
    status: 403,
    when: "money, MFA or password call under impersonation",
    retry: "no",
  },
  "permission-escalation": { status: 403, when: "granting what the caller lacks", retry: "no" },
  "identity-shared": {
    status: 403,
    when: "changing the email of a user of several tenants",
    retry: "no",
  },
  "reserved-name": {
    status: 403,
    when: "event type or audit action of a Kartu domain",
    retry: "no",
  },
  "event-not-declared": {
    status: 403,
    when: "module's manifest does not list the event",
    retry: "no",
  },
  "not-found": { status: 404, when: "unknown path or id, or another tenant's", retry: "no" },
  "module-not-installed": {
    status: 404,
    when: "module unknown, not installed, disabled or failed here",
    retry: "no",
  },
  "provider-not-found": { status: 404, when: "no such sign-in provider is set", retry: "no" },
  "billing-disabled": { status: 404, when: "billing is off", retry: "no" },
  "method-not-allowed": { status: 405, when: "verb not offered; `Allow`", retry: "no" },
  "version-conflict": {
    status: 409,
    when: "`version` is stale; `currentVersion`",
    retry: "after reading",
  },
  "idempotency-key-conflict": { status: 409, when: "key used with another request", retry: "no" },
  "idempotency-in-flight": {
    status: 409,
    when: "first call with the key still runs",
    retry: "wait, key",
  },
  "already-exists": { status: 409, when: "unique value taken; `field`", retry: "no" },
  "already-member": { status: 409, when: "the user is in the tenant", retry: "no" },
  "owner-protected": { status: 409, when: "the user is the owner", retry: "no" },
  "wrong-state": { status: 409, when: "the resource's `state` does not allow it", retry: "no" },
  "in-use": { status: 409, when: "something still depends on it", retry: "no" },
  "ids-exhausted": { status: 409, when: "no number is left", retry: "no" },
  "wallet-not-empty": { status: 409, when: "closing a wallet that holds money", retry: "no" },
  "wallet-empty": { status: 409, when: "refunding nothing", retry: "no" },
  "wallet-closed": { status: 409, when: "moving money on a closed wallet", retry: "no" },
  "system-wallet": {
    status: 409,
    when: "a system wallet is moved by system calls alone",
    retry: "no",
  },
  "card-wallet-live": { status: 409, when: "the wallet belongs to a card in use", retry: "no" },
  "too-many-holds": { status: 409, when: "100 live holds on the wallet", retry: "later" },
  "hold-expired": { status: 409, when: "the hold is past its `expiresAt`", retry: "no" },
  "hold-not-active": { status: 409, when: "the hold is already settled", retry: "no" },
  "not-reversible": {
    status: 409,
    when: "the transaction is of the wrong type, status or age",
    retry: "no",
  },
  "already-reversed": { status: 409, when: "the transaction was reversed before", retry: "no" },
  "unblock-by-reissue": {
    status: 409,
    when: "a blocked card comes back only by a station's reissue",
    retry: "no",
  },
  "still-rejected": { status: 409, when: "the stored event fails the rules again", retry: "no" },
  "model-change-destructive": {
    status: 409,
    when: "module update drops or retypes a field",
    retry: "no",
  },
  "upload-incomplete": {
    status: 409,
    when: "bytes missing or of another size",
    retry: "after upload",
  },
  "file-deleted": { status: 410, when: "the file is in the trash", retry: "no" },
  "file-destroyed": { status: 410, when: "the file is gone for ever", retry: "no" },
  "version-sunset": { status: 410, when: "API version past its sunset", retry: "no" },
  "payload-too-large": { status: 413, when: "the body is over its limit", retry: "no" },
  "file-too-large": {
    status: 413,
    when: "an image over 10 MB, or a file over its limit",
    retry: "no",
  },
  "unsupported-media-type": {
    status: 415,
    when: "not the content type the call takes",
    retry: "no",
  },
  "amount-limit-exceeded": { status: 422, when: "above the plan's maximum; `limit`", retry: "no" },
  "balance-limit-exceeded": { status: 422, when: "above the plan's maximum; `limit`", retry: "no" },
  "file-rejected": { status: 422, when: "the scan refused the file", retry: "no" },
  "image-unprocessable": {
    status: 422,
    when: "the image is broken, too big, or of a format that is not written",
    retry: "no",
  },
  "rate-limit-exceeded": {
    status: 429,
    when: "more calls than the limit allows; of a notification: it is queued, do not repeat",
    retry: "wait",
  },
  "too-many-streams": { status: 429, when: "10 per user or 100 per tenant open", retry: "wait" },
  "internal-error": { status: 500, when: "our fault; nothing is half-done", retry: "key" },
  "response-validation-failed": {
    status: 500,
    when: "answer breaks its document (development, staging)",
    retry: "no",
  },
  "upstream-error": {
    status: 502,
    when: "module answered 4xx/5xx without a problem body",
    retry: "as that status",
  },
  "circuit-open": { status: 503, when: "the breaker of the module is open", retry: "wait" },
  "upstream-unavailable": { status: 503, when: "the module could not be reached", retry: "wait" },
  "staging-limit": { status: 503, when: "100 files of the tenant await their scan", retry: "wait" },
  overloaded: {
    status: 503,
    when: "the write queue is full or the store refuses",
    retry: "wait, key",
  },
  "limits-unavailable": {
    status: 503,
    when: "the limits of the plan cannot be read",
    retry: "wait, key",
  },
  "upstream-timeout": { status: 504, when: "upstream silent for 5 s", retry: "backoff" },
} as const satisfies Record<string, ProblemRow>;

export type ProblemSlug = keyof typeof rows;

/** `upstream-error` stands with the upstream's own status. */
export const problems: Readonly<Record<ProblemSlug, ProblemRow>> = rows;

export const isProblemSlug = (slug: string): slug is ProblemSlug => Object.hasOwn(rows, slug);

/** Codes of a faulty field; a closed list too. */
export const fieldCodes = [
  "REQUIRED",
  "INVALID_TYPE",
  "INVALID_FORMAT",
  "TOO_SHORT",
  "TOO_LONG",
  "TOO_SMALL",
  "TOO_LARGE",
  "TOO_FEW",
  "TOO_MANY",
  "NOT_ALLOWED",
  "DUPLICATE",
  "UNKNOWN_FIELD",
  "UNKNOWN_PARAMETER",
] as const;
export type FieldCode = (typeof fieldCodes)[number];
