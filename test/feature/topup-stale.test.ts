import { expect, test } from "bun:test";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openVenue, startSec, venues } from "../harness.ts";

const open = venues();
const daySec = 86_400;

test("a top-up whose credit does not come within a day raises one alert", async () => {
  const venue = await open();
  const station = await venue.working("station");
  const [late, settled, canceled, young] = [
    await venue.card(station),
    await venue.card(station),
    await venue.card(station),
    await venue.card(station),
  ];
  const stale = (await station.topup(late.cardId, 5_000)).json.topupId;
  await station.topup(settled.cardId, 6_000);
  await station.hand(settled.admin(), settled.credit(6_000));
  await station.cancel(canceled.cardId, (await station.topup(canceled.cardId, 7_000)).json.topupId);
  venue.clock.advance(60);
  await station.topup(young.cardId, 8_000);

  venue.clock.set(startSec + daySec - 1);
  await venue.clock.minute();
  expect(await venue.alerts()).toEqual([]);
  venue.clock.set(startSec + daySec);
  for (let i = 0; i < 3; i++) await venue.clock.minute();
  const alert = { severity: "medium", reason: "stale_topup", cardId: late.cardId };
  expect(await venue.alerts()).toEqual([{ ...alert, terminalId: station.terminalId }]);
  expect(await venue.rows("SELECT detail FROM alert")).toEqual([
    { detail: JSON.stringify({ topupId: stale, amount: 5_000 }) },
  ]);

  venue.clock.set(startSec + daySec + 60);
  await venue.clock.minute();
  expect((await venue.alerts()).map(({ cardId }) => cardId)).toEqual([late.cardId, young.cardId]);
});

test("a restart raises none of them again, and each tenant its own", async () => {
  const venue = await open();
  const other = await venue.addTenant();
  const station = await venue.working("station");
  const otherStation = await other.working("station");
  const card = await venue.card(station);
  await station.topup(card.cardId, 5_000);
  await otherStation.topup((await other.card(otherStation)).cardId, 5_000);
  venue.clock.advance(60);
  await station.topup(card.cardId, 9_000);
  venue.clock.set(startSec + daySec);
  await venue.clock.minute();
  expect(await other.alerts()).toHaveLength(1);

  const copy = mkdtempSync(join(tmpdir(), "kartu-stale-"));
  await venue.kartu.store.write(async () => undefined);
  cpSync(venue.dataDir, copy, { recursive: true });
  const again = await openVenue({ dataDir: copy });
  try {
    again.clock.set(startSec + daySec + 1);
    await again.clock.minute();
    expect(await again.alerts()).toHaveLength(1);
    again.clock.set(startSec + daySec + 60);
    await again.clock.minute();
    expect(await again.alerts()).toHaveLength(2);
    expect(await again.rows("SELECT count(*) AS n FROM alert")).toEqual([{ n: 3 }]);
  } finally {
    await again.close();
    rmSync(copy, { recursive: true });
  }
});
