/** What the command line can have done about money at the till: settlement, closing days, refunds. */
import { Type } from "@sinclair/typebox";
import { refundReasonMaxChars, terminalIdMax, uint32Max } from "../../schema/bound.ts";
import { isDate } from "../domain/instant.ts";
import { OperatorRefused } from "../domain/operator.ts";
import type { DayRange } from "../domain/settlement.ts";
import type { Refund } from "../feature/refund/service.ts";
import { checkRange, dayNumber, shownRun } from "../feature/settlement/service.ts";
import { cli, operation, reading, tenantSlug as tenant, tenantOf, text } from "./kind.ts";
import { isoOfMs, isoOfSec } from "./view.ts";

const date = text(10);
const range = {
  from: date,
  to: date,
  terminalId: Type.Optional(Type.Integer({ minimum: 1, maximum: terminalIdMax })),
};
const file = Type.Union([Type.Literal("csv"), Type.Literal("journal")]);
const format = Type.Union([Type.Literal("json"), Type.Literal("csv"), Type.Literal("journal")]);
const limit = Type.Integer({ minimum: 1, maximum: 1_000 });
const whole = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const reason = text(refundReasonMaxChars);
const by = { actor: cli };

/** @throws OperatorRefused, Problem `validation-error` */
function rangeOf(given: { from: string; to: string; terminalId?: number }): DayRange {
  for (const field of ["from", "to"] as const) {
    if (isDate(given[field])) continue;
    const message = `${field}: must be a date, YYYY-MM-DD`;
    throw new OperatorRefused("validation-error", message, field);
  }
  const { from, to, terminalId = null } = given;
  const days = { from: dayNumber(from), to: dayNumber(to), terminalId };
  checkRange(days, "query");
  return days;
}

const refundView = (refund: Refund) => ({
  transactionId: refund.id,
  cardId: refund.cardId,
  amount: refund.amount,
  currency: refund.currency,
  left: refund.balanceAfter.available,
  reason: refund.reason,
  createdAt: isoOfMs(refund.createdAtMs),
  unseenUntil: isoOfSec(refund.unseenUntilSec),
});

export const settlementOperations = {
  "settlement.show": reading(
    {
      ...{ tenant, ...range, limit },
      after: Type.Optional(Type.Tuple([Type.Integer(), Type.Integer()])),
    },
    async (host, args) => {
      const tenantId = await tenantOf(host, args.tenant);
      return await host.settlement.page(tenantId, rangeOf(args), args.after, args.limit);
    },
  ),
  "settlement.totals": reading({ tenant, ...range }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    return (await host.settlement.summary(tenantId, rangeOf(args))).totals;
  }),
  "settlement.file": operation({ tenant, ...range, format: file }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    const nowMs = host.clock.nowMs();
    const days = rangeOf(args);
    const bytes = await host.settlement.taken(tenantId, days, args.format, by, nowMs);
    return { text: new TextDecoder().decode(bytes) };
  }),
  "settlement.close": operation({ tenant, ...range }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    const nowMs = host.clock.nowMs();
    const days = rangeOf(args);
    const run = await host.settlement.close(tenantId, days, by, nowMs);
    return shownRun(run);
  }),
  "settlement.runs": reading({ tenant, below: whole, limit }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    return (await host.settlement.runs(tenantId, args.below, args.limit)).map(shownRun);
  }),
  "settlement.export": operation({ tenant, number: whole, format }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    const nowMs = host.clock.nowMs();
    const which = { number: args.number };
    const { run, bytes } = await host.settlement.frozen(tenantId, which, args.format, by, nowMs);
    return { sha256: run.sha256, text: new TextDecoder().decode(bytes) };
  }),

  "card.refund": operation(
    {
      ...{ tenant, cardId: text(12), reason },
      amount: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
      chipBalance: Type.Optional(Type.Integer({ minimum: 0, maximum: uint32Max })),
    },
    async (host, { tenant: slug, cardId, ...order }) => {
      const tenantId = await tenantOf(host, slug);
      const nowMs = host.clock.nowMs();
      return refundView(
        await host.store.write((tx) => host.refund.ofCard(tx, tenantId, cardId, order, by, nowMs)),
      );
    },
  ),
  "member.refund": operation(
    { tenant, userId: Type.Integer({ minimum: 1, maximum: uint32Max }), reason },
    async (host, args) => {
      const tenantId = await tenantOf(host, args.tenant);
      const nowMs = host.clock.nowMs();
      const made = await host.store.write(async (tx) => {
        const member = await host.member.find(tx, tenantId, args.userId);
        if (member === undefined) throw new OperatorRefused("not-found", "there is no such member");
        const { memberId } = member;
        return await host.refund.ofMember(tx, tenantId, memberId, args.reason, by, nowMs);
      });
      const { refunds, total, unseenUntilSec } = made;
      return { refunds: refunds.map(refundView), total, unseenUntil: isoOfSec(unseenUntilSec) };
    },
  ),
} as const;
