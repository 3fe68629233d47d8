/**
 * A simulated venue at work: carries out one act after the other on the whole server. An act that lacks what
 * it needs does nothing. Every call and its answer goes to the auditor of its tenant.
 */
import { Auditor } from "../auditor/auditor.ts";
import type { Act, ActOf } from "./act.ts";
import type { Device, Tag } from "./device.ts";
import type { Host } from "./host.ts";
import { forge, junk, knock, report } from "./mischief.ts";
import { tap } from "./offline.ts";
import * as operator from "./operator.ts";
import * as station from "./station.ts";
import type { Tally } from "./tally.ts";
import { type Alter, type Card, type Member, Tenancy } from "./tenancy.ts";
import * as wire from "./wire.ts";

const currency = "IDR";

type Doing = {
  readonly [K in Act["do"]]: (tenancy: Tenancy, act: ActOf<K>) => unknown;
};

const nth = <T>(list: readonly T[], at: number): T | undefined =>
  list[at % Math.max(1, list.length)];

/** Acts of a device, on a card, on a chip: nothing where there is none. */
const byDevice =
  <A extends { readonly device: number }>(
    work: (tenancy: Tenancy, device: Device, act: A) => unknown,
  ) =>
  (tenancy: Tenancy, act: A): unknown => {
    const device = nth(tenancy.devices, act.device);
    return device === undefined ? undefined : work(tenancy, device, act);
  };

const onTag = <A extends { readonly device: number; readonly tag: number }>(
  work: (tenancy: Tenancy, device: Device, tag: Tag, act: A) => unknown,
) =>
  byDevice<A>((tenancy, device, act) => {
    const tag = nth(tenancy.tags, act.tag);
    return tag === undefined ? undefined : work(tenancy, device, tag, act);
  });

const onCard = <A extends { readonly device: number; readonly card: number }>(
  work: (tenancy: Tenancy, device: Device, card: Card, act: A) => unknown,
) =>
  byDevice<A>((tenancy, device, act) => {
    const card = nth(tenancy.cards, act.card);
    return card === undefined ? undefined : work(tenancy, device, card, act);
  });

const ofCard =
  <A extends { readonly card: number }>(work: (tenancy: Tenancy, card: Card, act: A) => unknown) =>
  (tenancy: Tenancy, act: A): unknown => {
    const card = nth(tenancy.cards, act.card);
    return card === undefined ? undefined : work(tenancy, card, act);
  };

const ofTag =
  <A extends { readonly tag: number }>(work: (tenancy: Tenancy, tag: Tag, act: A) => unknown) =>
  (tenancy: Tenancy, act: A): unknown => {
    const tag = nth(tenancy.tags, act.tag);
    return tag === undefined ? undefined : work(tenancy, tag, act);
  };

const ofMember =
  <A extends { readonly member: number }>(
    work: (tenancy: Tenancy, member: Member, act: A) => unknown,
  ) =>
  (tenancy: Tenancy, act: A): unknown => {
    const member = nth(tenancy.members, act.member);
    return member === undefined ? undefined : work(tenancy, member, act);
  };

async function read(
  tenancy: Tenancy,
  device: Device,
  { cardId }: Card,
  { limit }: ActOf<"read">,
): Promise<void> {
  const path = `/api/cards/${cardId}`;
  await tenancy.call(device, "GET", limit === undefined ? path : `${path}/events?limit=${limit}`);
}

const doing: Doing = {
  zone: operator.addZone,
  member: operator.addMember,
  enrol: async (tenancy, act) => {
    const device = await operator.enrol(tenancy, act);
    if (device !== undefined) await wire.sync(tenancy, device, { do: "sync", device: 0 });
  },
  make: byDevice((tenancy, device, act: ActOf<"make">) => {
    const member = nth(tenancy.members, act.member);
    return member === undefined ? undefined : station.make(tenancy, device, member, act);
  }),
  sync: byDevice(wire.sync),
  boot: byDevice((_, device, { skew }: ActOf<"boot">) => {
    device.boot();
    if (skew !== undefined) device.skewSec = skew;
  }),
  commission: byDevice((tenancy, device, { lose }: ActOf<"commission">) =>
    wire.commission(tenancy, device, lose),
  ),
  tap: onTag(async (tenancy, device, tag, act: ActOf<"tap">) => {
    let tapped = tap(tenancy, device, tag, act);
    if (!tapped.done && tapped.why === "no_key" && act.offline !== true) {
      await wire.fetchKey(tenancy, device, tag);
      tapped = tap(tenancy, device, tag, act);
    }
    tenancy.tally.count(`tap ${tapped.done ? act.type : tapped.why}`);
  }),
  topup: onTag(station.topup),
  upload: byDevice(async (tenancy, device, act: ActOf<"upload">) => {
    await wire.upload(tenancy, device, act);
    await wire.sendReports(tenancy, device);
  }),
  cancel: byDevice(station.cancel),
  block: onCard(station.block),
  rekey: onTag(station.rekey),
  reissue: onCard(station.reissue),
  repair: onTag(station.repair),
  read: onCard(read),
  again: byDevice(wire.again),
  forge: byDevice((_, device, act: ActOf<"forge">) => forge(device, act)),
  junk: onCard(junk),
  clone: ofTag((tenancy, { chip, cardId }) => {
    tenancy.tags.push({ chip: chip.clone(), cardId });
  }),
  keep: ofTag((_, tag) => {
    tag.kept = tag.chip.read();
  }),
  back: ofTag((_, tag) => {
    if (tag.kept !== undefined) tag.chip.rollback(tag.kept);
  }),
  flip: ofTag((_, { chip }, { bit }: ActOf<"flip">) => chip.flip(bit % (484 * 8))),
  report: onCard(report),
  device: byDevice(operator.changeDevice),
  memberTo: ofMember(operator.changeMember),
  policy: operator.changePolicy,
  key: operator.changeKey,
  list: operator.list,
  stop: ofCard(operator.stop),
  unblock: ofCard((tenancy, { cardId }) =>
    tenancy.operate("POST", `/fleet/cards/${cardId}/unblock`, {}),
  ),
  refund: ofCard(operator.refund),
  decide: operator.decide,
  settle: operator.settle,
  reverse: operator.reverse,
  look: operator.look,
  knock: byDevice((tenancy, device, act: ActOf<"knock">) =>
    knock(tenancy, device, nth(tenancy.cards, act.card), act),
  ),
  pass: () => undefined,
  restart: (tenancy, { how }) => tenancy.host.restart(how),
};

export class World {
  readonly tenancies: readonly Tenancy[];

  constructor(
    readonly host: Host,
    readonly tally: Tally,
    alter?: Alter,
  ) {
    const { seats } = host;
    const nowSec = host.ground.place.startSec;
    this.tenancies = seats.map((seat) => {
      const { tenantId, timezone } = seat;
      const auditor = new Auditor({ nowSec, tenantId, timezone, currency });
      return new Tenancy(host, seat, auditor, tally, alter);
    });
    host.restarted = () => {
      tally.restarted();
      for (const { auditor } of this.tenancies) auditor.restarted();
    };
  }

  /** @throws Divergence · ServerFault · Error what the server did wrong */
  async do(act: Act): Promise<void> {
    const tenancy = nth(this.tenancies, act.in ?? 0);
    if (tenancy === undefined) return;
    const until = act.do === "pass" && act.until !== undefined ? secondsTo(tenancy, act.until) : 0;
    const sec = Math.max(0, until + (act.sec ?? 0));
    if (sec > 0) await this.#pass(sec);
    const work = doing[act.do] as (tenancy: Tenancy, act: Act) => unknown;
    await work(tenancy, act);
    const [fault] = this.host.faults;
    if (fault !== undefined) throw new Error(`a fault inside: ${fault}`);
  }

  async #pass(sec: number): Promise<void> {
    await this.host.pass(sec);
    if (sec < 60) return;
    for (const { auditor } of this.tenancies) auditor.tick(this.host.nowSec);
  }

  /** Everything is compared. @throws as `do` */
  async audit(): Promise<void> {
    const { host, tally } = this;
    for (const { auditor } of this.tenancies) {
      await auditor.audit({ rows: (sql) => host.rows(sql) }, host.nowSec);
    }
    await host.prove();
    const kinds = await host.rows<{ reason: string }>(
      "SELECT DISTINCT reason FROM flag WHERE reason IN ('missing_events', 'under_review')",
    );
    for (const { reason } of kinds) tally.count(`flag ${reason}`);
  }
}

const quarterSec = 900;

/** Seconds to the start of the next local day or week, or to the end of a card's life. */
function secondsTo(tenancy: Tenancy, until: "midnight" | "monday" | "expiry"): number {
  const { nowSec, days, cards } = tenancy;
  if (until === "expiry") {
    const next = cards.map(({ expiresAt }) => expiresAt).filter((at) => at > nowSec);
    return next.length === 0 ? 0 : Math.min(...next) - nowSec;
  }
  const number = (sec: number): number => (until === "midnight" ? days.day(sec) : days.week(sec));
  const here = number(nowSec);
  let at = Math.floor(nowSec / quarterSec) * quarterSec;
  while (number(at) === here) at += quarterSec;
  return at - nowSec;
}
