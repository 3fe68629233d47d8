/** What a report does, type by type, on both sides of its limits. */
import { expect, test } from "bun:test";
import { reportBlocksMax } from "../../schema/bound.ts";
import {
  ACTIVE,
  BLOCKED_ADMIN,
  BLOCKED_FRAUD,
  BLOCKED_TAMPER,
} from "../../src/domain/cardrecord.ts";
import { decideReport, type ReportCase, type ReportType } from "../../src/domain/report.ts";

const calm: ReportCase = {
  type: "tamper",
  status: ACTIVE,
  suspended: false,
  blocksSoFar: 0,
  underReview: false,
  failuresBefore: 0,
};

const rows: [name: string, over: Partial<ReportCase>, effect: string][] = [
  ["tamper", {}, `block ${BLOCKED_TAMPER}, alert`],
  ["replay", { type: "replay" }, `block ${BLOCKED_FRAUD}, review, alert`],
  ["replay under review", { type: "replay", underReview: true }, `block ${BLOCKED_FRAUD}, alert`],
  ["tamper of a blocked card", { status: BLOCKED_ADMIN }, "alert"],
  ["replay of a blocked card", { type: "replay", status: BLOCKED_TAMPER }, "review, alert"],
  ["replay again", { type: "replay", status: BLOCKED_FRAUD, underReview: true }, "alert"],
  ["the last block of the day", { blocksSoFar: reportBlocksMax - 1 }, "block 1, alert"],
  ["one too many", { blocksSoFar: reportBlocksMax }, "alert"],
  ["replay, one too many", { type: "replay", blocksSoFar: reportBlocksMax }, "review, alert"],
  ["from a suspended device", { suspended: true }, "alert"],
  ["tamper of an unknown card", { status: null }, "alert"],
  ["replay of an unknown card", { status: null, type: "replay" }, "alert"],
  ["failure of an unknown card", { status: null, type: "write_failure" }, ""],
  ["first failure", { type: "write_failure" }, "validate"],
  ["second failure", { type: "write_failure", failuresBefore: 1 }, "validate, alert"],
  ["third failure", { type: "write_failure", failuresBefore: 2 }, "validate"],
  ["failure of a blocked card", { type: "write_failure", status: BLOCKED_FRAUD }, "validate"],
];

test.each(rows)("%s", (_, over, wanted) => {
  const { blockAs, review, needsValidation, alert } = decideReport({ ...calm, ...over });
  const effects = [
    blockAs === null ? "" : `block ${blockAs}`,
    review ? "review" : "",
    needsValidation ? "validate" : "",
    alert ? "alert" : "",
  ];
  expect(effects.filter((each) => each !== "").join(", ")).toBe(wanted);
});

test.each<[Partial<ReportCase>, string]>([
  [{}, "blocked"],
  [{ blocksSoFar: reportBlocksMax }, "recorded"],
  [{ status: BLOCKED_ADMIN }, "none"],
  [{ status: BLOCKED_ADMIN, type: "replay" }, "flagged"],
])("the report's row says what was done: %p", (over, action) => {
  expect<string>(decideReport({ ...calm, ...over }).action).toBe(action);
});

test.each<ReportType>(["invalid_transition", "session_expired", "terminal_error"])(
  "%s is only recorded",
  (type) => {
    expect(decideReport({ ...calm, type })).toEqual({
      blockAs: null,
      review: false,
      needsValidation: false,
      alert: false,
      action: "none",
    });
  },
);
