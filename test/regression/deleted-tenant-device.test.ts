/** A deleted tenant's devices went on: their tokens lived, and grants were issued to them. */
import { expect, test } from "bun:test";
import { operator, venues } from "../harness.ts";

const open = venues();

test("the devices of a tenant that is deleted are retired with it", async () => {
  const venue = await open();
  const { kartu, clock } = venue;
  const other = await venue.addTenant();
  const terminal = await other.working("terminal");
  const stays = await venue.working("terminal");
  const [, gone] = await kartu.tenant.listTenants();
  if (gone === undefined) throw new Error("no second tenant");
  await kartu.store.write((tx) =>
    kartu.tenant.remove(
      tx,
      venue.tenantId,
      gone.uuid,
      undefined,
      { actor: operator },
      clock.nowMs(),
    ),
  );
  expect((await terminal.call("GET", "/api/policy")).status).toBe(401);
  expect((await stays.call("GET", "/api/policy")).status).toBe(200);
  const devices = await kartu.device.list(gone.tenantId, 0, 10);
  expect(devices.map(({ status }) => status)).toEqual(["retired"]);
});
