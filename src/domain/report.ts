/**
 * What a terminal's report does to the card it names: block it, put it under review, ask for its
 * validation, or nothing. A device may not take a whole venue's cards out of use by reports.
 */
import { reportBlocksMax } from "../../schema/bound.ts";
import { ACTIVE, BLOCKED_FRAUD, BLOCKED_TAMPER, type StatusCode } from "./cardrecord.ts";

export const reportTypes = [
  "tamper",
  "replay",
  "invalid_transition",
  "write_failure",
  "session_expired",
  "terminal_error",
] as const;
export type ReportType = (typeof reportTypes)[number];

export interface ReportCase {
  readonly type: ReportType;
  /** The card's status now; null for no card or an unknown one. */
  readonly status: StatusCode | null;
  readonly suspended: boolean;
  /** Cards that this device's reports blocked in the last 24 h. */
  readonly blocksSoFar: number;
  /** An open flag `under_review` of the card. */
  readonly underReview: boolean;
  /** Write failures of the card in the last 7 days, this one not counted. */
  readonly failuresBefore: number;
}

export interface ReportEffect {
  readonly blockAs: typeof BLOCKED_TAMPER | typeof BLOCKED_FRAUD | null;
  readonly review: boolean;
  readonly needsValidation: boolean;
  readonly alert: boolean;
  /** What the report's row says was done. */
  readonly action: "none" | "blocked" | "flagged" | "recorded";
}

export type ReportAction = ReportEffect["action"];

const nothing: ReportEffect = {
  blockAs: null,
  review: false,
  needsValidation: false,
  alert: false,
  action: "none",
};

export function decideReport(c: ReportCase): ReportEffect {
  if (c.status === null) return { ...nothing, alert: c.type === "tamper" || c.type === "replay" };
  if (c.type === "write_failure") {
    return { ...nothing, needsValidation: true, alert: c.failuresBefore === 1 };
  }
  if (c.type !== "tamper" && c.type !== "replay") return nothing;
  const review = c.type === "replay" && !c.underReview;
  const mayBlock = !c.suspended && c.blocksSoFar < reportBlocksMax;
  if (c.status === ACTIVE && mayBlock) {
    const blockAs = c.type === "tamper" ? BLOCKED_TAMPER : BLOCKED_FRAUD;
    return { blockAs, review, needsValidation: false, alert: true, action: "blocked" };
  }
  const action = c.status === ACTIVE ? "recorded" : review ? "flagged" : "none";
  return { blockAs: null, review, needsValidation: false, alert: true, action };
}
