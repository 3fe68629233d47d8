/**
 * A body with one member twice was taken, the last one counting: what a proxy had looked at and what was
 * booked could differ.
 */
import { describe, expect, test } from "bun:test";
import { outcome, venues } from "../harness.ts";

const open = venues();

describe("a member that is there twice", () => {
  const bodies = [
    '{"amount":5,"amount":500000,"operatorId":1,"timestamp":1795290000}',
    '{"amount":5,"operatorId":1,"timestamp":1795290000,"\\u0061mount":5}',
  ];
  for (const body of bodies) {
    test(`is refused: ${body}`, async () => {
      const venue = await open();
      const station = await venue.working("station");
      const { cardId } = await venue.card(station);
      const answer = await station.call("POST", `/api/cards/${cardId}/topup`, body);
      expect(outcome(answer)).toBe("400 malformed_payload");
      expect(await venue.books()).toEqual({});
    });
  }
});
