/**
 * Signs in the owner of a venue's first tenant on its closed file, through the services of the server but
 * without a password. Argument: data directory. Prints one JSON object: an access token.
 */
import { statement } from "../../schema/query/statement.ts";
import { openKartu } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { systemClock } from "../../src/system/clock.ts";
import { createLog } from "../../src/system/log.ts";
import { systemRandom } from "../../src/system/random.ts";

export interface Operator {
  readonly accessToken: string;
}

const ownerOf = statement<
  [tenantId: number],
  { user_no: number; uuid: string; email: string; tenant: string }
>(
  "bench.owner",
  `SELECT u.user_no, u.uuid, u.email, t.uuid AS tenant FROM tenant_owner o
     JOIN membership m ON m.membership_no = o.membership_no JOIN user_account u ON u.user_no = m.user_no
     JOIN tenant t ON t.tenant_id = o.tenant_id WHERE o.tenant_id = ?1`,
);

async function main([dataDir = ""]: string[]): Promise<Operator> {
  const read = readConfig(process.env);
  if ("faults" in read) throw new Error(read.faults.join("\n"));
  const clock = systemClock();
  const log = createLog({ nowMs: clock.nowMs, level: "error" });
  const { config } = read;
  const kartu = await openKartu({ dataDir, config, clock, random: systemRandom(), log });
  const tenantId = (await kartu.tenant.tenantBySlug())?.tenantId ?? 0;
  const owner = await kartu.store.read((q) => q.get(ownerOf, tenantId));
  if (owner === undefined) throw new Error("the venue has no owner");
  const { user_no: userNo, uuid, email, tenant: tenantUuid } = owner;
  const place = { userNo, userUuid: uuid, tenantId, cookie: false };
  const session = await kartu.store.write((tx) =>
    kartu.auth.openSession(tx, { ...place, ip: "127.0.0.1", userAgent: "bench" }, clock.nowMs()),
  );
  const said = { sub: uuid, email, tenantUuid, roles: ["owner"], sid: session.sid };
  const { accessToken } = await kartu.auth.mintAccess(
    { ...said, principal: "user" },
    clock.nowMs(),
  );
  await kartu.close();
  return { accessToken };
}

process.stdout.write(`${JSON.stringify(await main(process.argv.slice(2)))}\n`);
