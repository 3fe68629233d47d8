/**
 * A directory to be crashed: two tenants, a till each few cards, made by the server's own code on the
 * real date. The tenants' cards have the same ids.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openKartu } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { serveKartu } from "../../src/serve.ts";
import { createLog } from "../../src/system/log.ts";
import { seededRandom, systemRandom } from "../../src/system/random.ts";
import { callOf, venueClock } from "../caller.ts";
import { TenantUnderTest } from "../tenant.ts";
import { CardModel } from "./card.ts";
import { Journal } from "./journal.ts";
import { environmentOf } from "./process.ts";
import { Till } from "./till.ts";

const loaded = 400_000;
export const owner = { email: "owner@example.com", password: "a long password" } as const;
const actor = { type: "user", id: "operator" } as const;

export interface CrashVenue {
  readonly dataDir: string;
  readonly tills: readonly Till[];
  readonly journal: Journal;
  remove(): void;
}

export interface VenueSize {
  readonly seed: number;
  readonly tills: number;
  readonly cards: number;
  /** Where its directory is made. */
  readonly within?: string;
}

/** The same numbers for the same seed. */
export function dice(seed: number): (max: number) => number {
  const random = seededRandom(seed);
  return (max) => {
    const [a = 0, b = 0, c = 0] = random.bytes(3);
    return (a * 65_536 + b * 256 + c) % max;
  };
}

export async function openCrashVenue(size: VenueSize): Promise<CrashVenue> {
  const { seed, tills, cards, within = tmpdir() } = size;
  const dataDir = mkdtempSync(join(within, "kartu-crash-"));
  const read = readConfig(environmentOf(dataDir));
  if ("faults" in read) throw new Error(read.faults.join("\n"));
  const { config } = read;
  const clock = venueClock();
  clock.set(Math.floor(Date.now() / 1000));
  const log = createLog({ nowMs: clock.nowMs, level: "error" });
  const kartu = await openKartu({ dataDir, config, clock, random: systemRandom(), log });
  const { email: ownerEmail, password: ownerPassword } = owner;
  const by = { actor };
  await kartu.tenant.initialise(
    { tenant: { name: "Kantin Utama" }, ownerEmail, ownerPassword },
    by,
    clock.nowMs(),
  );
  await kartu.tenant.addTenant({ name: "Kantin Kedua" }, by, clock.nowMs());
  const serving = await serveKartu(kartu, { host: "127.0.0.1", port: 0 });
  const tenants = (await kartu.tenant.listTenants()).map(
    (tenant) => new TenantUnderTest(kartu, callOf(serving), clock, tenant),
  );
  const made = Array.from({ length: tills }, async (_, at) => {
    const tenant = tenants[at % tenants.length] as TenantUnderTest;
    const station = await tenant.working("station");
    const terminal = await tenant.working("terminal");
    const models: CardModel[] = [];
    for (let i = 0; i < cards; i += 1) {
      const no = (Math.floor(at / tenants.length) * cards + i).toString(16).padStart(10, "0");
      const chain = await tenant.card(station, { cardId: `ca${no}` });
      const first = chain.admin();
      await station.topup(chain.cardId, loaded);
      await station.hand(first, chain.credit(loaded));
      await terminal.hand(chain.checkin());
      models.push(new CardModel(chain, loaded));
    }
    return { tenantId: tenant.tenantId, station, terminal, models };
  });
  const posts = await Promise.all(made);
  const [row] = await kartu.store.read((q) =>
    q.all<[], { last: number }>({
      name: "test.lastEvent",
      sql: "SELECT max(event_id) AS last FROM event",
    }),
  );
  await serving.stop(5);
  const journal = new Journal(row?.last ?? 0);
  return {
    dataDir,
    journal,
    tills: posts.map(
      ({ tenantId, station, terminal, models }, at) =>
        new Till(tenantId, at, station, terminal, models, journal, dice(seed * 1000 + at)),
    ),
    remove: () => rmSync(dataDir, { recursive: true, force: true }),
  };
}
