/**
 * A HEAD whose path has dot segments is found by another router than one whose path has none, and was
 * answered there as a GET is: the device surface has no HEAD, however the path is written.
 */
import { expect, test } from "bun:test";
import { connect } from "node:net";
import { venues } from "../harness.ts";

const open = venues();

/** The first line of the answer to a request as it is written. */
const firstLine = (url: string, head: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname, () => socket.write(head));
    let answer = "";
    socket.on("data", (bytes: Buffer) => {
      answer += bytes.toString("latin1");
    });
    socket.on("close", () => resolve(answer.split("\r\n")[0] ?? ""));
    socket.on("error", reject);
  });

test("a path with dot segments has no HEAD either", async () => {
  const venue = await open();
  const station = await venue.working("station");
  const { cardId } = await venue.card(station);
  const grants = (): Promise<{ count: number }[]> =>
    venue.rows("SELECT count(*) AS count FROM session_grant");
  const before = await grants();
  for (const path of [
    "/api/session-grant",
    `/api/cards/${cardId}`,
    `/api/cards/${cardId}/events`,
  ]) {
    for (const asked of [path, `/x/..${path}`, `/.${path}`, path.replace("/api/", "/api/./")]) {
      const head =
        `HEAD ${asked} HTTP/1.1\r\nHost: kartu.test\r\nConnection: close\r\n` +
        `Authorization: Bearer ${station.token}\r\n\r\n`;
      const line = await firstLine(venue.serving.url, head);
      expect([asked, line]).toEqual([asked, "HTTP/1.1 405 Method Not Allowed"]);
    }
  }
  expect(await grants()).toEqual(before);
});
