/**
 * Limits of a venue: the fields, their ranges and defaults, which scope decides each one, and what an
 * operator may set. Every field is one integer; lists of statuses and of operations are bit masks.
 */

import {
  balanceHardCeilingMinor,
  grantTtlMaxSec,
  grantTtlMinSec,
  sessionMaxSec,
  uint32Max,
} from "../../schema/bound.ts";
import type { FieldCode } from "../../schema/problem.ts";
import { OPS, type Op, opsMask, opsOf } from "./grant.ts";
import type { Role } from "./identity.ts";
import { OperatorRefused } from "./operator.ts";

export const policyScopes = ["device", "zone", "tenant"] as const;
export type PolicyScope = (typeof policyScopes)[number];
export type PolicySource = PolicyScope | "default";

export type PolicyField =
  | "maxBalance"
  | "singleTxLimit"
  | "dailyLimit"
  | "weeklyLimit"
  | "blockedStatuses"
  | "clockDriftAllowanceSec"
  | "grantTtlSec"
  | "allowedOps.terminal"
  | "allowedOps.gate"
  | "allowedOps.station";

/** Null inherits from the next wider scope. */
export type PolicyRow = Readonly<Record<PolicyField, number | null>>;
export type PolicyValues = Readonly<Record<PolicyField, number>>;
export type PolicySources = Readonly<Record<PolicyField, PolicySource>>;
export type PolicyChange = Readonly<Partial<PolicyRow>>;

/** What a device works under. Masks: bit s of `blockedMask` = status s; bit i of an op mask = `OPS[i]`. */
export interface Policy {
  readonly maxBalance: number;
  readonly singleTxLimit: number;
  readonly dailyLimit: number;
  readonly weeklyLimit: number;
  readonly blockedStatuses: readonly number[];
  readonly blockedMask: number;
  readonly clockDriftAllowanceSec: number;
  readonly hardCeiling: number;
  readonly currency: string;
  readonly timezone: string;
  readonly sessionMaxSec: number;
  readonly policyVersion: number;
  readonly grantTtlSec: number;
  readonly ops: { readonly terminal: number; readonly gate: number; readonly station: number };
}

/** What is the tenant's own and no scope changes. */
export interface PolicyTenant {
  readonly currency: string;
  readonly timezone: string;
  readonly policyVersion: number;
}

interface FieldRule {
  readonly kind: "number" | "statuses" | "ops";
  readonly min: number;
  readonly max: number;
  readonly fallback: number;
  readonly tenantOnly?: true;
}

const statusMin = 1;
const statusMax = 4;
const allStatuses = 0b11110;
const allOps = (1 << OPS.length) - 1;

const number = (min: number, max: number, fallback: number): FieldRule => ({
  kind: "number",
  min,
  max,
  fallback,
});
const ops = (...list: Op[]): FieldRule => ({
  kind: "ops",
  min: 0,
  max: allOps,
  fallback: opsMask(list),
  tenantOnly: true,
});

const rules: Readonly<Record<PolicyField, FieldRule>> = {
  maxBalance: number(0, balanceHardCeilingMinor, 5_000_000),
  singleTxLimit: number(1, balanceHardCeilingMinor, 1_000_000),
  dailyLimit: number(0, uint32Max, 2_000_000),
  weeklyLimit: number(0, uint32Max, 5_000_000),
  blockedStatuses: { kind: "statuses", min: 0, max: allStatuses, fallback: allStatuses },
  clockDriftAllowanceSec: number(0, 86_400, 3_600),
  grantTtlSec: { ...number(grantTtlMinSec, grantTtlMaxSec, 28_800), tenantOnly: true },
  "allowedOps.terminal": ops("read", "debit", "checkin", "checkout"),
  "allowedOps.gate": ops("read", "checkin", "checkout"),
  "allowedOps.station": ops("read", "checkout", "topup", "reissue", "block"),
};

export const policyFields = Object.keys(rules) as readonly PolicyField[];

/** A row that inherits everything. */
export const emptyPolicyRow = Object.fromEntries(
  policyFields.map((field) => [field, null]),
) as PolicyRow;

export interface ResolvedPolicy {
  readonly values: PolicyValues;
  readonly sources: PolicySources;
}

/** Each field from the narrowest scope that sets it. */
export function resolvePolicy(
  rows: Readonly<Partial<Record<PolicyScope, PolicyRow | undefined>>>,
): ResolvedPolicy {
  const values: Partial<Record<PolicyField, number>> = {};
  const sources: Partial<Record<PolicyField, PolicySource>> = {};
  for (const field of policyFields) {
    const scope = policyScopes.find((each) => typeof rows[each]?.[field] === "number");
    values[field] = (scope && rows[scope]?.[field]) ?? rules[field].fallback;
    sources[field] = scope ?? "default";
  }
  return { values: values as PolicyValues, sources: sources as PolicySources };
}

/** Numbers of the statuses in a mask, ascending. */
function statusesOf(mask: number): number[] {
  const statuses: number[] = [];
  for (let s = statusMin; s <= statusMax; s++) if ((mask & (1 << s)) !== 0) statuses.push(s);
  return statuses;
}

export const policyOf = (values: PolicyValues, tenant: PolicyTenant): Policy => ({
  maxBalance: values.maxBalance,
  singleTxLimit: values.singleTxLimit,
  dailyLimit: values.dailyLimit,
  weeklyLimit: values.weeklyLimit,
  blockedStatuses: statusesOf(values.blockedStatuses),
  blockedMask: values.blockedStatuses,
  clockDriftAllowanceSec: values.clockDriftAllowanceSec,
  hardCeiling: balanceHardCeilingMinor,
  currency: tenant.currency,
  timezone: tenant.timezone,
  sessionMaxSec,
  policyVersion: tenant.policyVersion,
  grantTtlSec: values.grantTtlSec,
  ops: {
    terminal: values["allowedOps.terminal"],
    gate: values["allowedOps.gate"],
    station: values["allowedOps.station"],
  },
});

/** Mask of the operations that a role's grants carry now. */
export const roleOps = (policy: Policy, role: Role): number =>
  role === "scout" ? 0 : policy.ops[role];

/** A field's value as people write it: a number, or a list of numbers or words. */
export function shownValue(field: PolicyField, value: number): number | number[] | Op[] {
  const { kind } = rules[field];
  if (kind === "statuses") return statusesOf(value);
  return kind === "ops" ? opsOf(value) : value;
}

/** What an operator says of a policy's fields: absent = as it is, null = inherit. */
export interface PolicyGiven {
  readonly maxBalance?: number | null;
  readonly singleTxLimit?: number | null;
  readonly dailyLimit?: number | null;
  readonly weeklyLimit?: number | null;
  readonly blockedStatuses?: readonly number[] | null;
  readonly clockDriftAllowanceSec?: number | null;
  readonly grantTtlSec?: number | null;
  readonly allowedOps?: {
    readonly terminal?: readonly Op[] | null;
    readonly gate?: readonly Op[] | null;
    readonly station?: readonly Op[] | null;
  } | null;
}

const plainFields = [
  "maxBalance",
  "singleTxLimit",
  "dailyLimit",
  "weeklyLimit",
  "clockDriftAllowanceSec",
  "grantTtlSec",
] as const;
const opRoles = ["terminal", "gate", "station"] as const;

/** Lists as masks. */
export function changeOf(given: PolicyGiven): PolicyChange {
  const change: Partial<Record<PolicyField, number | null>> = {};
  for (const field of plainFields) {
    const value = given[field];
    if (value !== undefined) change[field] = value;
  }
  const { blockedStatuses, allowedOps } = given;
  if (blockedStatuses !== undefined) {
    change.blockedStatuses =
      blockedStatuses?.reduce((mask, status) => mask | (1 << status), 0) ?? null;
  }
  if (allowedOps === undefined) return change;
  for (const role of opRoles) {
    const list = allowedOps === null ? null : allowedOps[role];
    if (list !== undefined) change[`allowedOps.${role}`] = list === null ? null : opsMask(list);
  }
  return change;
}

const listOfStatuses = (mask: number | null): number[] | null =>
  mask === null ? null : statusesOf(mask);
const listOfOps = (mask: number | null): Op[] | null => (mask === null ? null : opsOf(mask));

/** A row as operators read it: masks as lists, null where it inherits. */
export function shownRow(row: PolicyRow) {
  const terminal = listOfOps(row["allowedOps.terminal"]);
  const gate = listOfOps(row["allowedOps.gate"]);
  const station = listOfOps(row["allowedOps.station"]);
  const inherits = terminal === null && gate === null && station === null;
  return {
    maxBalance: row.maxBalance,
    singleTxLimit: row.singleTxLimit,
    dailyLimit: row.dailyLimit,
    weeklyLimit: row.weeklyLimit,
    blockedStatuses: listOfStatuses(row.blockedStatuses),
    clockDriftAllowanceSec: row.clockDriftAllowanceSec,
    grantTtlSec: row.grantTtlSec,
    allowedOps: inherits ? null : { terminal, gate, station },
  };
}

/** Effective values as operators read them, and which scope decides each. */
export function shownValues({ values, sources }: ResolvedPolicy) {
  const ops = opRoles.map((role) => sources[`allowedOps.${role}`]);
  return {
    maxBalance: values.maxBalance,
    singleTxLimit: values.singleTxLimit,
    dailyLimit: values.dailyLimit,
    weeklyLimit: values.weeklyLimit,
    blockedStatuses: statusesOf(values.blockedStatuses),
    clockDriftAllowanceSec: values.clockDriftAllowanceSec,
    grantTtlSec: values.grantTtlSec,
    allowedOps: {
      terminal: opsOf(values["allowedOps.terminal"]),
      gate: opsOf(values["allowedOps.gate"]),
      station: opsOf(values["allowedOps.station"]),
    },
    sources: {
      maxBalance: sources.maxBalance,
      singleTxLimit: sources.singleTxLimit,
      dailyLimit: sources.dailyLimit,
      weeklyLimit: sources.weeklyLimit,
      blockedStatuses: sources.blockedStatuses,
      clockDriftAllowanceSec: sources.clockDriftAllowanceSec,
      grantTtlSec: sources.grantTtlSec,
      allowedOps: ops.find((source) => source !== "default") ?? ("default" as const),
    },
  };
}

const refuse = (field: string, message: string, code: FieldCode = "INVALID_FORMAT"): never => {
  throw new OperatorRefused("validation-error", `${field}: ${message}`, field, code);
};

/** @throws OperatorRefused `validation-error`: a value out of range, or a field not of this scope. */
export function checkPolicyChange(scope: PolicyScope, change: PolicyChange): void {
  for (const field of policyFields) {
    const value = change[field];
    if (value === undefined || value === null) continue;
    const rule = rules[field];
    if (rule.tenantOnly === true && scope !== "tenant")
      refuse(field, "set it for the whole tenant", "NOT_ALLOWED");
    const inRange = Number.isSafeInteger(value) && value >= rule.min && value <= rule.max;
    if (!inRange || (rule.kind === "statuses" && (value & ~allStatuses) !== 0)) {
      refuse(field, `must be a whole number from ${rule.min} to ${rule.max}`);
    }
  }
}

/**
 * What must hold between the effective values of one scope.
 * @param change what is to be changed: the field at fault is one of it, where it names either
 * @throws OperatorRefused `validation-error`
 */
export function checkPolicyValues(
  values: PolicyValues,
  where: string,
  change: PolicyChange = {},
): void {
  if (values.weeklyLimit < values.dailyLimit) {
    if (change.dailyLimit === undefined || change.weeklyLimit !== undefined) {
      refuse("weeklyLimit", `would be below dailyLimit for ${where}`, "TOO_SMALL");
    }
    refuse("dailyLimit", `would be above weeklyLimit for ${where}`, "TOO_LARGE");
  }
  if (values.singleTxLimit > values.maxBalance) {
    if (change.maxBalance === undefined || change.singleTxLimit !== undefined) {
      refuse("singleTxLimit", `would be above maxBalance for ${where}`, "TOO_LARGE");
    }
    refuse("maxBalance", `would be below singleTxLimit for ${where}`, "TOO_SMALL");
  }
}

/**
 * A change as words of a command line, such as `dailyLimit=3000000`, `blockedStatuses=1,2`,
 * `allowedOps.gate=read,checkin`; `inherit` goes back to the wider scope, `none` is the empty list.
 * @throws OperatorRefused `validation-error`
 */
export function parsePolicyChange(words: Readonly<Record<string, string>>): PolicyChange {
  const change: Partial<Record<PolicyField, number | null>> = {};
  for (const [name, word] of Object.entries(words)) {
    const field = policyFields.find((each) => each === name);
    if (field === undefined) {
      const message = `there is no field ${name}; there are ${policyFields.join(", ")}`;
      throw new OperatorRefused("validation-error", message, "field");
    }
    change[field] = word === "inherit" ? null : parseValue(field, word);
  }
  return change;
}

function parseValue(field: PolicyField, word: string): number {
  const { kind, min, max } = rules[field];
  if (kind === "number") {
    if (!/^(0|[1-9][0-9]{0,9})$/.test(word)) {
      refuse(field, `must be a whole number from ${min} to ${max}`);
    }
    return Number(word);
  }
  const bare = word.replace(/^\[(.*)\]$/, "$1");
  const items = bare === "" || bare === "none" ? [] : bare.split(",").map((item) => item.trim());
  if (new Set(items).size !== items.length) refuse(field, "names something twice");
  let mask = 0;
  for (const item of items)
    mask |= 1 << (kind === "ops" ? opBit(field, item) : statusBit(field, item));
  return mask;
}

const statusBit = (field: string, item: string): number =>
  /^[1-4]$/.test(item) ? Number(item) : refuse(field, "must be a list of numbers from 1 to 4");

function opBit(field: string, item: string): number {
  const bit = (OPS as readonly string[]).indexOf(item);
  return bit >= 0 ? bit : refuse(field, `must be a list of ${OPS.join(", ")}`);
}
