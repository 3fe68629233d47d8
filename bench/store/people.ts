/**
 * Adds tenants with an owner each, and people signed in, to a venue's closed file, through the services
 * of the server but without its password hashing. Arguments: data directory, tenants, tokens. Prints one
 * JSON object: access and refresh tokens, spread over the tenants in turn.
 */
import { openKartu } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { systemClock } from "../../src/system/clock.ts";
import { createLog } from "../../src/system/log.ts";
import { systemRandom } from "../../src/system/random.ts";

export interface SignedIn {
  readonly email: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

const by = { actor: { type: "system", id: "bench" } } as const;
const atOnce = 100;

async function main([dataDir = "", tenants = "1", tokens = "1"]: string[]): Promise<SignedIn[]> {
  const read = readConfig(process.env);
  if ("faults" in read) throw new Error(read.faults.join("\n"));
  const clock = systemClock();
  const log = createLog({ nowMs: clock.nowMs, level: "error" });
  const { config } = read;
  const kartu = await openKartu({ dataDir, config, clock, random: systemRandom(), log });
  const nowMs = clock.nowMs();
  const owners: {
    userNo: number;
    uuid: string;
    email: string;
    tenantId: number;
    tenant: string;
  }[] = [];
  for (let from = 0; from < Number(tenants); from += atOnce) {
    const to = Math.min(Number(tenants), from + atOnce);
    await kartu.store.write(
      async (tx) => {
        for (let i = from; i < to; i++) {
          const draft = { email: `owner-${i}@bench.kartu`, name: `Owner ${i}`, passwordHash: null };
          const owner = await kartu.account.create(tx, draft, nowMs);
          const made = await kartu.tenant.open(tx, { name: `Venue ${i}`, owner }, by, nowMs);
          owners.push({ ...owner, tenantId: made.tenantId, tenant: made.uuid });
        }
      },
      { weight: 20 * atOnce },
    );
  }
  const signedIn: SignedIn[] = [];
  for (let i = 0; i < Number(tokens); i++) {
    const owner = owners[i % owners.length];
    if (owner === undefined) throw new RangeError("no tenants");
    const { userNo, uuid, email, tenantId, tenant } = owner;
    const place = { userNo, userUuid: uuid, tenantId, cookie: false };
    const session = await kartu.store.write((tx) =>
      kartu.auth.openSession(tx, { ...place, ip: "127.0.0.1", userAgent: "bench" }, nowMs),
    );
    const said = { sub: uuid, email, tenantUuid: tenant, roles: ["owner"], sid: session.sid };
    const { accessToken } = await kartu.auth.mintAccess(
      { ...said, principal: "user" },
      clock.nowMs(),
    );
    signedIn.push({ email, accessToken, refreshToken: session.refreshToken });
  }
  await kartu.close();
  return signedIn;
}

process.stdout.write(`${JSON.stringify(await main(process.argv.slice(2)))}\n`);
