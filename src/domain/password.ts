/** Which passwords are good enough. Hashing them is not here. */
import { passwordMaxChars, passwordMinChars } from "../../schema/bound.ts";
import { type FieldFault, invalid } from "./problem.ts";

/** What is wrong with a new password of this person, or undefined. */
export function passwordFault(
  password: string,
  email: string,
  field = "password",
): FieldFault | undefined {
  // An emoji is one character, though two units of UTF-16.
  const chars = [...password].length;
  if (chars < passwordMinChars) {
    return {
      field,
      message: `Must have at least ${passwordMinChars} characters`,
      code: "TOO_SHORT",
    };
  }
  if (chars > passwordMaxChars) {
    return { field, message: `Must have at most ${passwordMaxChars} characters`, code: "TOO_LONG" };
  }
  if (password.trim().toLowerCase() === email.toLowerCase()) {
    return { field, message: "Must not be the email", code: "NOT_ALLOWED" };
  }
  return undefined;
}

/** @throws Problem `validation-error` */
export function checkNewPassword(password: string, email: string, field = "password"): void {
  const fault = passwordFault(password, email, field);
  if (fault !== undefined) throw invalid([fault]);
}
