/** Which writes a power cut may lose, read from a trace of the calls. */
import { expect, test } from "bun:test";
import { unsynced } from "./power.ts";

const wal = "/data/kartu.db-wal";
const write = (thread: number, at: number, path = wal): string =>
  `${thread} pwrite64(7<${path}>, ""..., 24, ${at}) = 24`;

const cases: readonly (readonly [name: string, lines: readonly string[], lost: number[]])[] = [
  ["nothing was synced", [write(1, 0), write(1, 24)], [0, 24]],
  ["a sync ends it", [write(1, 0), `1 fsync(7<${wal}>) = 0`, write(1, 24)], [24]],
  ["a sync that failed saves nothing", [write(1, 0), `1 fsync(7<${wal}>) = -1 EIO`], [0]],
  [
    "a sync that was pretended saves nothing",
    [write(1, 0), `1 fsync(7<${wal}>) = 0 (INJECTED)`],
    [0],
  ],
  ["of another file nothing is said", [write(1, 0, "/data/kartu.db")], []],
  ["a sync of another file saves nothing", [write(1, 0), "1 fsync(6</data/kartu.db>) = 0"], [0]],
  [
    "a sync under way covers what was written before it",
    [
      write(1, 0),
      `1 fdatasync(7<${wal}> <unfinished ...>`,
      write(2, 24),
      "1 <... fdatasync resumed>) = 0",
    ],
    [24],
  ],
  [
    "a sync that did not end saves nothing",
    [write(1, 0), `1 fsync(7<${wal}> <unfinished ...>`],
    [0],
  ],
];

test.each(cases)("%s", (_, lines, lost) => {
  expect(unsynced(lines.join("\n"), wal).map(({ at }) => at)).toEqual(lost);
});
