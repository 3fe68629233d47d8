/**
 * A card whose expiry lay in the past already was answered as ACTIVE by a reissue and as BLOCKED_EXPIRED
 * by the next read.
 */
import { expect, test } from "bun:test";
import { startSec, venues } from "../harness.ts";

const open = venues();

test("a reissue onto a card that has expired says so", async () => {
  const venue = await open();
  const station = await venue.working("station");
  const { cardId } = await venue.card(station);
  const made = await station.reissue(cardId, "0a0b0c0d0e0f", { expiresAt: startSec - 5 });
  expect(made.status).toBe(201);
  expect((made.json as { status: string }).status).toBe("BLOCKED_EXPIRED");
  expect((await station.read("0a0b0c0d0e0f")).json).toMatchObject({ status: "BLOCKED_EXPIRED" });
});
