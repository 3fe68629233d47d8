/**
 * Every signal that ends a server under load, and its readers going away: nothing acknowledged is lost,
 * and the code it ends with is the one that is documented. SIGTERM alone is in `crash.ts`.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "node:net";
import { Load } from "./load.ts";
import { type Child, type ChildOptions, serve } from "./process.ts";
import { proveCopy } from "./proof.ts";
import { type CrashVenue, openCrashVenue } from "./venue.ts";

let venue: CrashVenue;

beforeAll(async () => {
  venue = await openCrashVenue({ seed: Date.now() % 1_000_000, tills: 6, cards: 3 });
}, 60_000);

afterAll(() => venue.remove());

/** What `end` does to a server at work; then the file is proved. Returns what it ended with. */
async function ended(
  end: (server: Child, load: Load, url: string) => Promise<unknown> | undefined,
  options?: ChildOptions,
): Promise<number> {
  const server = serve(venue.dataDir, undefined, options);
  try {
    const url = await server.url();
    if (url === undefined) throw new Error(`a server ended at once: ${server.told}`);
    const load = new Load(venue.tills, url);
    await load.more(60);
    await end(server, load, url);
    const code = await server.ended();
    await load.stop();
    await proveCopy(venue.dataDir, venue.journal);
    return code;
  } finally {
    server.signal("SIGKILL");
  }
}

test("SIGINT stops it in order", async () => {
  expect(await ended((server) => void server.signal("SIGINT"))).toBe(0);
}, 60_000);

/** A terminal that is closed: as if it was killed, since whoever wants it to go on has said so (nohup). */
test("SIGHUP ends it at once", async () => {
  expect(await ended((server) => void server.signal("SIGHUP"))).toBe(129);
}, 60_000);

/** A call whose body never comes keeps it from ending. */
function hold(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const token = venue.tills[0]?.terminal.token;
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      const head = [
        "POST /api/reconcile HTTP/1.1",
        `host: ${hostname}`,
        `authorization: Bearer ${token}`,
        "content-type: application/json",
        "content-length: 9",
      ];
      socket.write(`${head.join("\r\n")}\r\n\r\n{`, () => resolve());
    });
    socket.on("error", () => undefined);
  });
}

test("a second SIGTERM a while after the first ends it at once, with 1", async () => {
  const code = await ended(async (server, load, url) => {
    await hold(url);
    // By then the server has read it.
    await load.more(60);
    server.signal("SIGTERM");
    await Bun.sleep(1_500);
    expect(server.isOver).toBe(false);
    server.signal("SIGTERM");
  });
  expect(code).toBe(1);
}, 60_000);

test("with nobody left to read what it says, it goes on and stops in order", async () => {
  const env = { KARTU_LOG_LEVEL: "debug" };
  const code = await ended(
    async (server, load) => {
      await server.deafen();
      server.signal("SIGPIPE");
      await load.more(60);
      server.signal("SIGTERM");
    },
    { env, isTelling: true },
  );
  expect(code).toBe(0);
}, 60_000);
