/**
 * The closed list of refusals of the device surface, in order of precedence: status, sentence for a
 * human, and whether the same call may pass later. A code that is not here can't be answered. The
 * sentences never echo what was sent.
 */
export interface RefusalRow {
  readonly status: number;
  readonly message: string;
  /** The same request may pass later without any change. */
  readonly transient?: true;
}

const rows = {
  not_found: { status: 404, message: "There is nothing at this address." },
  method_not_allowed: { status: 405, message: "This address does not offer that method." },
  version_sunset: { status: 410, message: "This version of the API has ended." },
  payload_too_large: { status: 413, message: "The request body is larger than the limit." },
  rate_limited: { status: 429, message: "Too many requests; wait and try again.", transient: true },
  invalid_token: {
    status: 401,
    message: "The access token is missing, unknown, expired or revoked.",
  },
  insufficient_role: { status: 403, message: "This device's role may not call this." },
  terminal_suspended: { status: 403, message: "This device is suspended." },
  op_not_granted: {
    status: 403,
    message: "No unexpired grant of this device carries the operation.",
  },
  unsupported_media_type: { status: 415, message: "The request body must be application/json." },
  malformed_payload: { status: 400, message: "The request is not valid." },
  batch_too_large: { status: 413, message: "A batch holds at most 1000 events." },
  invalid_role: { status: 422, message: "There is no such role." },
  invalid_credentials: { status: 401, message: "Device, secret and role do not match." },
  device_suspended: { status: 403, message: "This device is suspended." },
  terminal_mismatch: { status: 403, message: "The terminal named is not the caller's." },
  idempotency_key_conflict: {
    status: 409,
    message: "The idempotency key was used with another request.",
  },
  idempotency_in_flight: {
    status: 409,
    message: "The first call with this idempotency key still runs.",
    transient: true,
  },
  card_not_found: { status: 404, message: "There is no such card." },
  topup_not_found: { status: 404, message: "There is no such top-up." },
  card_already_registered: { status: 409, message: "This card id is registered already." },
  card_replaced: { status: 409, message: "This card has been replaced already." },
  user_has_active_card: { status: 409, message: "The member holds an active card." },
  topup_settled: { status: 409, message: "The top-up is settled." },
  duplicate_counter: { status: 409, message: "Every event of the batch is recorded already." },
  invalid_user: { status: 422, message: "The member is unknown, suspended or closed." },
  invalid_key_version: { status: 422, message: "The key version is not active." },
  card_blocked: { status: 422, message: "The card is blocked." },
  balance_limit_exceeded: { status: 422, message: "The balance would exceed the maximum." },
  internal_error: {
    status: 500,
    message: "Something went wrong on our side; it is safe to try again.",
    transient: true,
  },
  unavailable: {
    status: 503,
    message: "Nothing was recorded; try again shortly.",
    transient: true,
  },
} as const satisfies Record<string, RefusalRow>;

export type RefusalCode = keyof typeof rows;
export const refusals: Readonly<Record<RefusalCode, RefusalRow>> = rows;
