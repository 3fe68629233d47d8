/**
 * The checklist against OWASP ASVS 5.0.0 (`asvs.md`) is whole and true to the tree: every requirement of
 * level 1 and 2 once, each either proved by tests and documents that are there, or not applicable, or not
 * met, with a reason. Whether a test proves what is claimed is for people to judge.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "..");
const configSource = readFileSync(join(root, "src/config.ts"), "utf8");

/** Levels of the requirements of each section of the standard, in their order. */
const sections: Readonly<Record<string, string>> = {
  "1.1": "22",
  "1.2": "1111122223",
  "1.3": "112222222223",
  "1.4": "222",
  "1.5": "123",
  "2.1": "122",
  "2.2": "112",
  "2.3": "12223",
  "2.4": "23",
  "3.1": "3",
  "3.2": "113",
  "3.3": "12223",
  "3.4": "11222233",
  "3.5": "11122333",
  "3.6": "3",
  "3.7": "22333",
  "4.1": "12233",
  "4.2": "23333",
  "4.3": "22",
  "4.4": "1222",
  "5.1": "2",
  "5.2": "112333",
  "5.3": "113",
  "5.4": "222",
  "6.1": "122",
  "6.2": "111111112222",
  "6.3": "11223333",
  "6.4": "112233",
  "6.5": "22222333",
  "6.6": "2223",
  "6.7": "33",
  "6.8": "2222",
  "7.1": "222",
  "7.2": "1111",
  "7.3": "22",
  "7.4": "11222",
  "7.5": "223",
  "7.6": "22",
  "8.1": "1233",
  "8.2": "1123",
  "8.3": "133",
  "8.4": "23",
  "9.1": "111",
  "9.2": "1222",
  "10.1": "22",
  "10.2": "223",
  "10.3": "22223",
  "10.4": "1111122222233333",
  "10.5": "22222",
  "10.6": "22",
  "10.7": "222",
  "11.1": "2233",
  "11.2": "22233",
  "11.3": "11233",
  "11.4": "1222",
  "11.5": "23",
  "11.6": "23",
  "11.7": "33",
  "12.1": "12233",
  "12.2": "11",
  "12.3": "22223",
  "13.1": "2333",
  "13.2": "222223",
  "13.3": "2233",
  "13.4": "1222233",
  "14.1": "22",
  "14.2": "12223333",
  "14.3": "122",
  "15.1": "12233",
  "15.2": "12233",
  "15.3": "1222222",
  "15.4": "3333",
  "16.1": "2",
  "16.2": "22222",
  "16.3": "2222",
  "16.4": "222",
  "16.5": "2223",
  "17.1": "23",
  "17.2": "22223333",
  "17.3": "22",
};

const due = Object.entries(sections).flatMap(([section, levels]) =>
  [...levels].flatMap((level, at) =>
    level === "3" ? [] : [{ id: `v5.0.0-${section}.${at + 1}`, level }],
  ),
);

const text = readFileSync(join(import.meta.dir, "asvs.md"), "utf8");
const rows = text
  .split("\n")
  .filter((line) => line.startsWith("| v5"))
  .map((line) => {
    const [, id = "", level = "", short = "", how = "", ...more] = line
      .split("|")
      .map((part) => part.trim());
    return { id, level, short, how, isWhole: more.length === 1 };
  });

type Standing = "met" | "n/a" | "not met";
const standingOf = (how: string): Standing =>
  how.startsWith("n/a: ") ? "n/a" : how.startsWith("not met: ") ? "not met" : "met";

/** The texts that could name a test of a file: its string literals, one a line. */
const literals = new Map<string, string>();
function literalsOf(path: string): string {
  const known = literals.get(path);
  if (known !== undefined) return known;
  const source = readFileSync(join(root, path), "utf8");
  const found = source.match(/"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g) ?? [];
  const all = found.join("\n");
  literals.set(path, all);
  return all;
}

/** What is wrong with one piece of evidence, `path` › words. */
function faultOf(piece: string): string | undefined {
  const [, path, words] = /^`([^`]+)` › (.+)$/.exec(piece) ?? [];
  if (path === undefined || words === undefined) return `no evidence: ${piece}`;
  const isTest = path.endsWith(".test.ts");
  try {
    const within = isTest ? literalsOf(path) : readFileSync(join(root, path), "utf8");
    return within.includes(words) ? undefined : `${path} says nowhere: ${words}`;
  } catch {
    return `no file ${path}`;
  }
}

describe("the checklist", () => {
  test("has every requirement of level 1 and 2 once, in order, with its level", () => {
    expect(rows.map(({ id, level }) => ({ id, level }))).toEqual(due);
    expect(due.length).toBe(253);
  });

  test("says of each in short what it is about, and how it stands", () => {
    for (const { id, short, how, isWhole } of rows) {
      expect([id, isWhole, short.length > 3, how.length > 10]).toEqual([id, true, true, true]);
    }
  });

  test("names tests and documents that are there", () => {
    const met = rows.filter(({ how }) => standingOf(how) === "met");
    const faults = met.flatMap(({ id, how }) =>
      how.split(" · ").flatMap((piece) => {
        const fault = faultOf(piece);
        return fault === undefined ? [] : [`${id}: ${fault}`];
      }),
    );
    expect(faults).toEqual([]);
  });

  test("gives a reason where nothing is proved, and only there", () => {
    for (const { id, how } of rows) {
      const standing = standingOf(how);
      const marks = how.match(/n\/a:|not met:/g) ?? [];
      expect([id, marks.length]).toEqual([id, standing === "met" ? 0 : 1]);
      if (standing === "met") continue;
      expect([id, how.includes(" › ")]).toEqual([id, false]);
      for (const [, path = ""] of how.matchAll(/`([\w/-]+\.(?:test\.ts|md))`/g)) {
        const isThere = [path, join("test/feature", path)].some((each) => {
          try {
            return readFileSync(join(root, each), "utf8") !== "";
          } catch {
            return false;
          }
        });
        expect([id, path, isThere]).toEqual([id, path, true]);
      }
    }
  });

  test("counts right at its head", () => {
    const count = (standing: Standing): number =>
      rows.filter(({ how }) => standingOf(how) === standing).length;
    const told = `Of ${rows.length}: **${count("met")} met, ${count("n/a")} not applicable, ${count("not met")} not met.**`;
    expect(text).toContain(told);
    process.stderr.write(`ASVS 5.0.0 level 2: ${told.replaceAll("*", "")}\n`);
  });
});

test("what SECURITY.md names is there", () => {
  const policy = readFileSync(join(root, "SECURITY.md"), "utf8");
  const paths = [...policy.matchAll(/`((?:test|schema|src)\/[\w./-]*)`/g)].map(([, path]) => path);
  expect(paths.length).toBeGreaterThan(15);
  expect(paths.filter((path) => !existsSync(join(root, path ?? "")))).toEqual([]);
  for (const [variable] of policy.matchAll(/KARTU_[A-Z]+(?:_[A-Z]+)*/g)) {
    expect([variable, configSource.includes(variable)]).toEqual([variable, true]);
  }
});

describe("the judge of evidence", () => {
  test.each([
    ["`test/none.test.ts` › words", "no file test/none.test.ts"],
    ["`test/tidy.test.ts` › nothing imports in a circle", undefined],
    ["`test/tidy.test.ts` › The rules stand", "test/tidy.test.ts says nowhere: The rules stand"],
    ["`SECURITY.md` › What a stolen thing gives", undefined],
    ["`SECURITY.md` › what nobody wrote", "SECURITY.md says nowhere: what nobody wrote"],
    ["trust us", "no evidence: trust us"],
  ])("%s", (piece, fault) => {
    expect(faultOf(piece)).toBe(fault as string);
  });
});
