/**
 * Refusals of the token endpoints: problems of the closed list that also carry what OAuth clients look for,
 * `error` and `error_description` (RFC 6749 §5.2). What is wrong is decided elsewhere.
 */
import type { FieldCode } from "../../../schema/problem.ts";
import { invalidDetails, Problem } from "../../domain/problem.ts";

export type OAuthError =
  | "invalid_request"
  | "invalid_client"
  | "invalid_grant"
  | "invalid_scope"
  | "unauthorized_client"
  | "unsupported_grant_type";

const members = (error: OAuthError, description: string) => ({
  members: { error, error_description: description },
});

/** 401: who calls is not proved. */
export const badClient = (description = "The application is not known, or its secret is wrong.") =>
  new Problem("invalid-credentials", description, members("invalid_client", description));

/** 400, with the field at fault. */
export const fault = (
  error: Exclude<OAuthError, "invalid_client">,
  field: string,
  description: string,
  code: FieldCode = "NOT_ALLOWED",
): Problem =>
  new Problem("validation-error", invalidDetails.body, {
    errors: [{ field, message: description, code }],
    ...members(error, description),
  });

/** The text of a field that is due. @throws Problem */
export function due(field: string, value: string | undefined): string {
  if (value !== undefined && value !== "") return value;
  throw fault("invalid_request", field, "Is required", "REQUIRED");
}
