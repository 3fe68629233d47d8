/**
 * Everything that an operator can have done by the command line, as one table: name, shape of the
 * arguments, what to call. Run in the process that may write, be that this one or a live server; what
 * is not in the table cannot be asked of either.
 */
import { type Static, Type } from "@sinclair/typebox";
import {
  blockReasonMaxChars,
  deviceIdMaxChars,
  emailMaxChars,
  keyNoteMaxChars,
  keyVersionMax,
  nameMaxChars,
  noteMaxChars,
  uint32Max,
} from "../../schema/bound.ts";
import { roles } from "../domain/identity.ts";
import { OperatorRefused } from "../domain/operator.ts";
import { parsePolicyChange, policyFields, shownValue } from "../domain/policy.ts";
import { membersAddedMax } from "../feature/member/service.ts";
import type { PolicyTarget } from "../feature/policy/service.ts";
import { compileShape } from "../http/contract.ts";
import { blockCard, showCard } from "./cardop.ts";
import { UsageError } from "./context.ts";
import { fleetOperations } from "./fleetop.ts";
import { cli, type Operation, operation, reading, tenantOf, tenantSlug, text } from "./kind.ts";
import { peopleOperations } from "./peopleop.ts";
import { recordOperations } from "./recordop.ts";
import { settlementOperations } from "./settlementop.ts";
import { deviceView, flagView, isoOfSec, keyView, memberView } from "./view.ts";

export { cli, type Host, type Operation, type Tell } from "./kind.ts";

const tenant = tenantSlug;
const deviceId = text(deviceIdMaxChars);
const userId = Type.Integer({ minimum: 1, maximum: uint32Max });
const keyVersion = Type.Integer({ minimum: 1, maximum: keyVersionMax });
const cardId = Type.String({ pattern: "^[0-9a-f]{12}$", title: "12 lowercase hex digits" });
const after = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const limit = Type.Integer({ minimum: 1, maximum: 1_000 });
const scope = { zone: Type.Optional(text(nameMaxChars)), device: Type.Optional(deviceId) };
const note = text(noteMaxChars);
/** Up to a leap year; 0 looks whether the clock can be moved. */
const advanceSec = Type.Integer({ minimum: 0, maximum: 31_622_400 });
const flagStatus = Type.Union(
  (["open", "approved", "dismissed"] as const).map((word) => Type.Literal(word)),
);

function targetOf({ zone, device }: { zone?: string; device?: string }): PolicyTarget {
  if (zone !== undefined && device !== undefined) {
    throw new OperatorRefused("validation-error", "name a zone or a device, not both", "zone");
  }
  if (zone !== undefined) return { scope: "zone", zone };
  return device === undefined ? { scope: "tenant" } : { scope: "device", deviceId: device };
}

const deviceChange = (change: "suspend" | "resume" | "revoke" | "retire") =>
  operation({ tenant, deviceId }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    return deviceView(await host.device[change](tenantId, args.deviceId, cli, host.clock.nowMs()));
  });

const memberChange = (change: "suspend" | "resume" | "close") =>
  operation({ tenant, userId }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    return memberView(await host.member[change](tenantId, args.userId, cli, host.clock.nowMs()));
  });

const flagDecision = (decide: "approve" | "dismiss") =>
  operation({ tenant, flagId: text(36, 36), note }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    const decision = { note: args.note, actor: cli };
    return flagView(await host.review[decide](tenantId, args.flagId, decision, host.clock.nowMs()));
  });

export const operations = {
  "device.add": operation(
    {
      tenant,
      deviceId,
      role: Type.Union(roles.map((role) => Type.Literal(role))),
      name: Type.Optional(text(nameMaxChars)),
      zone: Type.Optional(text(nameMaxChars)),
      userId: Type.Optional(userId),
    },
    async (host, { tenant: slug, ...draft }) => {
      const tenantId = await tenantOf(host, slug);
      const made = await host.device.register(tenantId, draft, cli, host.clock.nowMs());
      return {
        deviceId: made.device.deviceId,
        role: made.device.role,
        terminalId: made.device.terminalId,
        secret: made.secret,
        secretExpiresAt: isoOfSec(made.secretExpiresAtSec),
        qr: made.qr,
      };
    },
  ),
  "device.list": reading({ tenant, after, limit }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    return (await host.device.list(tenantId, args.after, args.limit)).map(deviceView);
  }),
  "device.suspend": deviceChange("suspend"),
  "device.resume": deviceChange("resume"),
  "device.revoke": deviceChange("revoke"),
  "device.retire": deviceChange("retire"),
  "device.secret": operation(
    { tenant, deviceId, keepToken: Type.Boolean() },
    async (host, args) => {
      const tenantId = await tenantOf(host, args.tenant);
      const nowMs = host.clock.nowMs();
      const made = await host.device.newSecret(tenantId, args.deviceId, args.keepToken, cli, nowMs);
      return {
        deviceId: made.device.deviceId,
        role: made.device.role,
        terminalId: made.device.terminalId,
        secret: made.secret,
        secretExpiresAt: isoOfSec(made.secretExpiresAtSec),
        qr: made.qr,
      };
    },
  ),

  "policy.show": reading({ tenant, ...scope }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    const { values, sources, policyVersion, policy } = await host.policy.show(
      tenantId,
      targetOf(args),
    );
    const shown = policyFields.map((field) => [field, shownValue(field, values[field])] as const);
    const { hardCeiling, sessionMaxSec, currency, timezone } = policy;
    return {
      values: { ...Object.fromEntries(shown), hardCeiling, sessionMaxSec, currency, timezone },
      sources,
      policyVersion,
    };
  }),
  "policy.set": operation(
    { tenant, ...scope, change: Type.Record(text(64), text(256, 0)) },
    async (host, args) => {
      const tenantId = await tenantOf(host, args.tenant);
      const change = parsePolicyChange(args.change);
      const nowMs = host.clock.nowMs();
      return {
        policyVersion: await host.policy.set(tenantId, targetOf(args), change, cli, nowMs),
      };
    },
  ),

  "card.show": reading({ tenant, cardId, limit }, async (host, args) =>
    showCard(host, await tenantOf(host, args.tenant), args.cardId, args.limit),
  ),
  "card.block": operation(
    { tenant, cardId, reason: text(blockReasonMaxChars) },
    async (host, args) =>
      blockCard(host, await tenantOf(host, args.tenant), args.cardId, args.reason),
  ),

  "flag.list": reading({ tenant, status: flagStatus, below: after, limit }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    const found = await host.review.list(tenantId, args.status, args.limit, args.below);
    return found.map((row) => ({ flagNo: row.flag_no, flag: flagView(row) }));
  }),
  "flag.approve": flagDecision("approve"),
  "flag.dismiss": flagDecision("dismiss"),

  "clock.advance": operation({ advanceSec }, async (host, args) => {
    if (host.advance === undefined) {
      throw new OperatorRefused(
        "wrong-state",
        "only the clock of a live server with KARTU_ENV=development can be moved",
      );
    }
    const sec = args.advanceSec;
    const nowMs = sec === 0 ? host.clock.nowMs() : await host.advance(sec);
    return { now: new Date(nowMs).toISOString() };
  }),

  ...peopleOperations,
  ...fleetOperations,
  ...settlementOperations,
  ...recordOperations,

  "member.add": operation(
    {
      tenant,
      name: text(nameMaxChars),
      email: Type.Optional(text(emailMaxChars)),
      count: Type.Integer({ minimum: 1, maximum: membersAddedMax }),
    },
    async (host, { tenant: slug, count, ...draft }, tell) => {
      const tenantId = await tenantOf(host, slug);
      const nowMs = host.clock.nowMs();
      const made = await host.member.addMany(tenantId, draft, count, cli, nowMs, (done) =>
        tell(done, count),
      );
      return made.map(memberView);
    },
  ),
  "member.list": reading({ tenant, after, limit }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    return (await host.member.list(tenantId, args.after, args.limit)).map(memberView);
  }),
  "member.suspend": memberChange("suspend"),
  "member.resume": memberChange("resume"),
  "member.close": memberChange("close"),

  "keys.list": reading({ tenant }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    return (await host.key.list(tenantId, host.clock.nowMs())).map(keyView);
  }),
  "keys.create": operation(
    { tenant, note: Type.Optional(text(keyNoteMaxChars)) },
    async (host, args) => {
      const tenantId = await tenantOf(host, args.tenant);
      return keyView(await host.key.create(tenantId, args.note ?? null, cli, host.clock.nowMs()));
    },
  ),
  "keys.activate": operation({ tenant, keyVersion }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    return keyView(await host.key.activate(tenantId, args.keyVersion, cli, host.clock.nowMs()));
  }),
  "keys.retire": operation({ tenant, keyVersion, force: Type.Boolean() }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    const nowMs = host.clock.nowMs();
    return keyView(await host.key.retire(tenantId, args.keyVersion, args.force, cli, nowMs));
  }),
} as const;

export type OperationName = keyof typeof operations;
export type ArgsOf<N extends OperationName> = Static<(typeof operations)[N]["args"]>;
export type ResultOf<N extends OperationName> = Awaited<ReturnType<(typeof operations)[N]["run"]>>;

/**
 * The operation of this name, the arguments judged.
 * @throws UsageError there is none, or the arguments are not of its shape
 */
export function operationFor(name: string, args: unknown): Operation {
  const table = operations as unknown as Readonly<Record<string, Operation>>;
  const found = Object.hasOwn(table, name) ? table[name] : undefined;
  if (found === undefined) throw new UsageError("there is no such operation");
  const shape = compileShape(found.args);
  if (shape.check(args)) return found;
  const { path, expected } = shape.fault(args, "the arguments");
  throw new UsageError(`${path}: ${expected}`);
}
