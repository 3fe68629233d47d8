/** Words that operators type, checked at one place: names and mail addresses. */
import { emailMaxChars, nameMaxChars } from "../../schema/bound.ts";
import { OperatorRefused } from "./operator.ts";

const invalid = (field: string, message: string): never => {
  throw new OperatorRefused("validation-error", `${field}: ${message}`, field);
};

/** A name for people. @throws OperatorRefused `validation-error` */
export function checkName(field: string, value: string): void {
  const chars = value.length > nameMaxChars ? [...value].length : value.length;
  if (chars < 1 || chars > nameMaxChars) {
    invalid(field, `must have 1 to ${nameMaxChars} characters`);
  }
  if (/\p{Cc}|\p{Cs}/u.test(value)) invalid(field, "must not hold control characters");
}

/** A mail address by its outer shape; only a mail that arrives proves more. */
export function checkEmail(field: string, value: string): void {
  if (value.length > emailMaxChars || !/^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u.test(value)) {
    invalid(field, "must be a mail address");
  }
}

/** A mail address as it is kept: without blanks around it, in lower case. */
export const mailAddress = (given: string): string => given.trim().toLowerCase();
