/** The device world of a house: a station and a till at work, cards, and what they hand in. */
import { callOf } from "../caller.ts";
import type { DeviceUnderTest } from "../device.ts";
import { TenantUnderTest } from "../tenant.ts";
import type { Served } from "./served.ts";

/** The tenant that it stands in. */
interface Premises {
  readonly estate: Served;
  readonly tenantNo: number;
  /** Token of the owner. */
  readonly owner: string;
  name(prefix: string): string;
}

export class Desk {
  private constructor(
    readonly house: Premises,
    readonly venue: TenantUnderTest,
    readonly station: DeviceUnderTest,
    readonly till: DeviceUnderTest,
  ) {}

  static async open(house: Premises): Promise<Desk> {
    const { kartu, clock, serving } = house.estate;
    const tenant = { tenantId: house.tenantNo, slug: house.name("venue") };
    const venue = new TenantUnderTest(kartu, callOf(serving), clock, tenant);
    return new Desk(house, venue, await venue.working("station"), await venue.working("terminal"));
  }

  /** A card that holds so much, and whose it is. */
  async card(amount = 50_000): Promise<{ cardId: string; memberId: string }> {
    const { cardId } = await this.venue.loaded(this.station, this.till, amount);
    const { estate, tenantNo } = this.house;
    const rows = await estate.rows<{ uuid: string }>(
      `SELECT m.uuid FROM member m JOIN card c USING (member_no)
       WHERE c.card_id = '${cardId}' AND c.tenant_id = ${tenantNo}`,
    );
    return { cardId, memberId: rows[0]?.uuid ?? "" };
  }

  /** A batch with one event, which is flagged: no station checks in. */
  async flag(): Promise<string> {
    const chain = await this.venue.card(this.station);
    await this.station.hand(chain.checkin());
    return this.#newest("/fleet/flags");
  }

  async batch(): Promise<string> {
    await this.flag();
    return this.#newest("/fleet/batches");
  }

  async report(): Promise<string> {
    const { cardId } = await this.venue.card(this.station);
    await this.till.report({ eventType: "tamper", cardId, details: "broken" });
    return this.#newest("/fleet/reports");
  }

  async #newest(path: string): Promise<string> {
    const { estate, owner: token } = this.house;
    const list = await estate.ok<{ data: { id: string }[] }>("GET", `${path}?limit=1`, { token });
    const [first] = list.data;
    if (first === undefined) throw new Error(`nothing in ${path}`);
    return first.id;
  }
}
