/** Settlement, closing days and refunds by the command line, over what devices had done before. */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Venue, venues } from "../harness.ts";
import { kartu, object, objects } from "./cli-fixture.ts";

const open = venues();
const env = { KARTU_MASTER_KEY: new Uint8Array(32).fill(5).toBase64() };
const day = "2025-05-08";
const range = ["--from", day, "--to", day];

async function stopped(): Promise<{ venue: Venue; cardId: string; terminal: number }> {
  const venue = await open();
  const terminal = await venue.working("terminal");
  const chain = await venue.loaded(await venue.working("station"), terminal, 5_000);
  await terminal.hand(chain.debit(1_200));
  await venue.stop();
  return { venue, cardId: chain.cardId, terminal: terminal.terminalId };
}

describe("kartu settlement", () => {
  test("shows, closes, lists and exports; card refund and member refund pay out", async () => {
    const { venue, cardId, terminal } = await stopped();
    const at = (...args: string[]): string[] => [...args, "--data", venue.dataDir];
    const rows = await objects(at("settlement", "show", ...range), { env });
    expect(rows).toMatchObject([
      { date: day, terminalId: terminal, debits: 1, debitAmount: 1_200, belongsTo: null },
      { date: day, topups: 1, topupAmount: 5_000 },
    ]);
    const shown = await kartu(at("settlement", "show", ...range), { env });
    expect(shown.stdout).toContain("debits 1, debitAmount 1200");

    const run = await object(at("settlement", "close", ...range), { env });
    expect(run).toMatchObject({ number: 1, rows: 2, closedBy: "cli", terminalId: null });
    expect(await objects(at("settlement", "runs"), { env })).toEqual([run]);
    const twice = await kartu(at("settlement", "close", ...range), { env });
    expect([twice.code, twice.stderr]).toEqual([2, "kartu: Run 1 has days of this range.\n"]);

    const csv = await kartu(at("settlement", "export", "1"), { env });
    expect(Bun.SHA256.hash(csv.stdout, "hex")).toBe(String(run.sha256));
    const live = await kartu(at("settlement", "show", ...range, "--format", "csv"), { env });
    expect(live.stdout).toBe(csv.stdout);
    const folder = mkdtempSync(join(tmpdir(), "kartu-cli-"));
    const out = join(folder, "run.journal");
    const journal = ["settlement", "export", "1", "--format", "journal"];
    await object(at(...journal, "--out", out), { env });
    const { text } = await object<{ text: string }>(at(...journal), { env });
    expect(readFileSync(out, "utf8")).toBe(text);
    rmSync(folder, { recursive: true });

    const refund = ["card", "refund", cardId, "--reason", "handed in", "--amount", "800"];
    expect(await object(at(...refund), { env })).toMatchObject({ amount: 800, left: 3_000 });
    const member = ["member", "refund", "1", "--reason", "leaves"];
    expect(await object(at(...member), { env })).toMatchObject({ total: 3_000 });
    const empty = await kartu(at(...member), { env });
    expect([empty.code, empty.stderr]).toEqual([
      2,
      "kartu: The member's cards hold nothing to be paid out.\n",
    ]);
    expect((await kartu(at("verify"), { env })).code).toBe(0);
  }, 30_000);

  test("says what is wrong with its words", async () => {
    const { venue } = await stopped();
    const say = async (...args: string[]) => {
      const { code, stderr } = await kartu(["settlement", ...args, "--data", venue.dataDir], {
        env,
      });
      return `${code} ${stderr.trim()}`;
    };
    const words = await Promise.all([
      say("show", "--from", "8.5.2025", "--to", day),
      say("show", "--from", day, "--to", "2025-05-07"),
      say("close", ...range, "--terminal", "99"),
      say("export", "7"),
      say("export", "7", "--format", "pdf"),
    ]);
    expect(words).toEqual([
      "2 kartu: from: must be a date, YYYY-MM-DD",
      "2 kartu: to: Must not be before from",
      "2 kartu: terminalId: Must be the number of a terminal",
      "2 kartu: There is no such settlement run.",
      "2 kartu: --format must be one of json, csv, journal",
    ]);
  }, 30_000);
});
