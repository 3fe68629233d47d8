/** The operator surface, as far as it touches devices, cards and money. Other calls are not judged. */
import type { Calendar } from "./day.ts";
import * as desk from "./desk.ts";
import { type Asked, type Due, refuse } from "./due.ts";
import { Kept } from "./idempotency.ts";
import * as limits from "./limits.ts";
import * as look from "./look.ts";
import * as money from "./money.ts";
import * as operator from "./operator.ts";
import * as review from "./review.ts";
import * as settlement from "./settlement.ts";

type Handler = (asked: Asked) => Due;

const handlers = (calendar: Calendar): Readonly<Record<string, Handler>> => ({
  "POST /fleet/devices": operator.addDevice,
  "GET /fleet/devices/:id": operator.showDevice,
  "PATCH /fleet/devices/:id": operator.changeDevice,
  "DELETE /fleet/devices/:id": operator.retireDevice,
  "POST /fleet/devices/:id/suspend": operator.suspend,
  "POST /fleet/devices/:id/resume": operator.resume,
  "POST /fleet/devices/:id/revoke-token": operator.revoke,
  "POST /fleet/devices/:id/secret": operator.newSecret,
  "POST /fleet/zones": operator.addZone,
  "DELETE /fleet/zones/:id": operator.removeZone,
  "POST /fleet/members": operator.addMember,
  "GET /fleet/members/:id": operator.showMember,
  "PATCH /fleet/members/:id": operator.changeMember,
  "DELETE /fleet/members/:id": operator.closeMember,
  "POST /fleet/policies": limits.addPolicy,
  "GET /fleet/policies/:id": limits.showPolicy,
  "PATCH /fleet/policies/:id": limits.changePolicy,
  "DELETE /fleet/policies/:id": limits.removePolicy,
  "POST /fleet/key-versions": operator.addKey,
  "POST /fleet/key-versions/:id/activate": operator.activateKey,
  "POST /fleet/key-versions/:id/retire": operator.retireKey,
  "GET /fleet/cards/:id": desk.showCard,
  "POST /fleet/cards/:id/block": desk.blockByHand,
  "POST /fleet/cards/:id/unblock": desk.unblock,
  "POST /fleet/cards/:id/refund": money.refundCard,
  "POST /fleet/members/:id/refund": money.refundMember,
  "GET /fleet/blocklist": desk.showList,
  "POST /fleet/blocklist": desk.listByHand,
  "DELETE /fleet/blocklist/:id": desk.unlist,
  "GET /money/trial-balance": money.trialBalance,
  "POST /transactions/:id/reversal": money.reverse,
  "GET /fleet/cards": look.listCards,
  "GET /fleet/key-versions": look.listKeys,
  "GET /fleet/overview": look.overview,
  "GET /fleet/devices/:id/policy": look.devicePolicy,
  "GET /fleet/settlement": settlement.show(calendar),
  "POST /fleet/settlement/runs": settlement.close(calendar),
  "GET /fleet/flags": review.listFlags,
  "GET /fleet/flags/:id": review.showFlag,
  "POST /fleet/flags/:id/approve": review.approveFlag(calendar),
  "POST /fleet/flags/:id/dismiss": review.dismissFlag(calendar),
  "POST /fleet/flags/decide": review.decideFlags(calendar),
});

/** Undefined: a call that is not judged. */
export function operatorSurface(
  calendar: Calendar,
): (asked: Asked, path: string) => Due | undefined {
  const kept = new Kept("idempotency-key-conflict");
  const table = Object.entries(handlers(calendar)).map(([name, handle]) => {
    const [method, pattern = ""] = name.split(" ");
    const path = new RegExp(`^${pattern.replaceAll(/:id/g, "([^/]+)")}$`);
    return { method, path, handle, isExact: !pattern.includes(":id") };
  });
  // `/flags/decide` before `/flags/:id`.
  const ordered = table.toSorted((a, b) => Number(b.isExact) - Number(a.isExact));
  return (asked, path) => {
    const { method, by } = asked.call;
    const route = ordered.find((each) => each.method === method && each.path.test(path));
    if (route === undefined) return undefined;
    if (by !== "operator") return refuse(401, "unauthorized", "token-expired", "token-revoked");
    const ids = (route.path.exec(path) ?? []).slice(1);
    const answer = (): Due => route.handle({ ...asked, ids });
    return method === "POST" ? kept.once(asked, path, answer) : answer();
  };
}
