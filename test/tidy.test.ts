/**
 * The shape of the tree: who imports whom, no circles, no dead files, a pure domain. The rules stand
 * in tidy/, and are tried here on invented files first, because a rule that cannot fail proves nothing.
 */
import { describe, expect, test } from "bun:test";
import { dirname } from "node:path";
import { circles, type Edge, reach, readSource, readTree, type Source } from "./tidy/graph.ts";
import { impurities } from "./tidy/pure.ts";
import { broken, misplaced } from "./tidy/rank.ts";

const sources = readTree(dirname(import.meta.dir), ["src", "schema", "test", "bench"]);
const shipped = new Map([...sources].filter(([path]) => /^(src|schema)\//.test(path)));

describe("the tree", () => {
  test("every file has its place", () => {
    const faults: string[] = [];
    for (const path of shipped.keys()) {
      const fault = misplaced(path);
      if (fault) faults.push(`${path}: ${fault}`);
    }
    expect(faults).toEqual([]);
  });

  test("imports follow the ranks", () => {
    const faults: string[] = [];
    for (const { path, edges } of shipped.values()) {
      for (const edge of edges) {
        const rule = broken(path, edge);
        if (rule) faults.push(`${path}:${edge.line} → ${edge.to}: ${rule}`);
      }
    }
    expect(faults).toEqual([]);
  });

  test("nothing imports in a circle", () => {
    expect(circles(sources)).toEqual([]);
  });

  test("the program reaches every file; tests may keep what is in sim", () => {
    const outside = [...sources.keys()].filter((path) => /^(test|bench)\//.test(path));
    const sim = [...reach(sources, outside)].filter((path) => path.startsWith("src/sim/"));
    const alive = reach(sources, ["src/main.ts", ...sim]);
    const isDocument = (path: string): boolean => /\.md$|\.d\.ts$/.test(path);
    const dead = [...shipped.keys()].filter((path) => !alive.has(path) && !isDocument(path));
    expect(dead).toEqual([]);
  });

  test("the domain is pure", () => {
    const domain = [...shipped.values()].filter(({ path }) => path.startsWith("src/domain/"));
    expect(domain.flatMap(impurities)).toEqual([]);
  });
});

const edgesOf = (text: string): readonly Edge[] => readSource("src/http/a.ts", text).edges;

describe("reading imports", () => {
  const cases: [string, string][] = [
    ['import { x } from "./b.ts";', "src/http/b.ts"],
    ['import { type X } from "./b.ts";', "src/http/b.ts"],
    ['import { type X, y } from "./b.ts";', "src/http/b.ts"],
    ['import type { X } from "../b.ts";', "src/b.ts"],
    ['import "./b.ts";', "src/http/b.ts"],
    ['export * from "./b.ts";', "src/http/b.ts"],
    ['export type { X } from "./b.ts";', "src/http/b.ts"],
    ['import text from "../../schema/table/a.sql" with { type: "text" };', "schema/table/a.sql"],
    ['type X = import("./b.ts").X;', "src/http/b.ts"],
    ['const f = async () => await import("./b.ts");', "src/http/b.ts"],
    ['const u = new URL("./b.ts", import.meta.url);', "src/http/b.ts"],
  ];
  for (const [text, to] of cases) {
    test(text, () => expect(edgesOf(text)).toEqual([{ to, local: true, line: 1 }]));
  }

  test("packages, computed paths, pages", () => {
    expect(edgesOf('import { z } from "zod";')).toMatchObject([{ to: "zod", local: false }]);
    expect(edgesOf("const f = (x) => import(x);")).toMatchObject([{ to: "", local: false }]);
    const page = readSource("src/console/i.html", '<p>\n<script type="module" src="./a.tsx">');
    expect(page.edges).toMatchObject([{ to: "src/console/a.tsx", line: 2 }]);
  });

  test("comments and strings are not imports", () => {
    expect(edgesOf('// import "./b.ts";\nconst s = `import "./c.ts"`; const r = /"/;')).toEqual([]);
  });
});

describe("ranks", () => {
  const feature = (path: string): string => `src/feature/${path}.ts`;
  const cases: [string, string, boolean][] = [
    ["src/main.ts", "src/command/serve.ts", true],
    ["src/command/serve.ts", "src/app.ts", true],
    ["src/command/serve.ts", "src/main.ts", false],
    ["src/app.ts", "src/terminal.ts", true],
    ["src/app.ts", "src/command/serve.ts", false],
    ["src/terminal.ts", "src/platform.ts", false],
    ["src/terminal.ts", feature("card/terminal"), true],
    ["src/sim/fleet.ts", "src/sim/card.ts", true],
    ["src/sim/fleet.ts", "src/terminal.ts", false],
    ["src/console/a.tsx", "schema/contract/card.ts", true],
    ["src/console/a.tsx", "src/console/b.tsx", true],
    ["src/console/a.tsx", "src/domain/amount.ts", false],
    [feature("card/terminal"), feature("card/service"), true],
    [feature("card/terminal"), feature("card/guard"), true],
    [feature("card/terminal"), feature("device/guard"), true],
    [feature("card/terminal"), feature("device/service"), false],
    [feature("card/terminal"), feature("card/platform"), false],
    [feature("card/terminal"), "src/http/problem.ts", true],
    [feature("card/terminal"), "src/app.ts", false],
    [feature("card/service"), feature("card/store"), true],
    [feature("card/service"), feature("money/store"), false],
    [feature("card/service"), feature("money/service"), true],
    [feature("card/service"), feature("audit/service"), true],
    [feature("card/service"), feature("reconcile/service"), false],
    [feature("money/service"), feature("device/service"), false],
    [feature("card/service"), feature("card/terminal"), false],
    [feature("card/service"), "src/store/seam.ts", true],
    [feature("card/service"), "src/store/sqlite.ts", false],
    [feature("card/service"), "src/http/problem.ts", false],
    [feature("card/service"), "src/system/clock.ts", true],
    [feature("card/store"), "schema/query/card.ts", true],
    [feature("card/store"), "src/store/seam.ts", true],
    [feature("card/store"), "src/store/sqlite.ts", false],
    [feature("card/store"), "src/domain/card.ts", true],
    [feature("card/store"), "src/system/clock.ts", false],
    [feature("card/service"), feature("card/history"), true],
    [feature("card/history"), feature("card/store"), true],
    [feature("card/history"), feature("card/book"), true],
    [feature("card/history"), feature("card/service"), false],
    [feature("topup/service"), feature("card/history"), false],
    [feature("card/terminal"), feature("card/history"), false],
    [feature("card/store"), feature("card/history"), false],
    ["src/app.ts", feature("card/history"), false],
    ["src/app.ts", feature("card/service"), true],
    [feature("card/store"), "schema/bound.ts", false],
    ["src/http/rate.ts", "src/http/problem.ts", true],
    ["src/http/rate.ts", "src/system/clock.ts", true],
    ["src/http/rate.ts", "src/store/seam.ts", true],
    ["src/http/rate.ts", "src/store/sqlite.ts", false],
    ["src/http/rate.ts", "src/config.ts", false],
    ["src/system/log.ts", "src/config.ts", false],
    ["src/config.ts", "src/system/log.ts", true],
    ["src/store/sqlite.ts", "src/domain/card.ts", true],
    ["src/domain/card.ts", "src/domain/limit.ts", true],
    ["src/domain/card.ts", "schema/refusal.ts", true],
    ["src/domain/card.ts", "src/system/clock.ts", false],
    ["schema/query/card.ts", "schema/query/statement.ts", true],
    ["schema/query/card.ts", "src/domain/card.ts", false],
    ["src/http/rate.ts", "test/harness.ts", false],
    ["src/system/version.ts", "package.json", true],
    ["src/domain/card.ts", "package.json", false],
  ];
  for (const [from, to, allowed] of cases) {
    test(`${from} ${allowed ? "may" : "may not"} import ${to}`, () => {
      const rule = broken(from, { to, local: true, line: 1 });
      expect(rule === undefined).toBe(allowed);
    });
  }

  const packages: [string, string, boolean][] = [
    ["schema/contract/card.ts", "@sinclair/typebox", true],
    ["schema/contract/card.ts", "elysia", false],
    ["schema/query/card.ts", "@sinclair/typebox", false],
    ["src/domain/seal.ts", "@noble/ciphers/chacha.js", true],
    ["src/domain/seal.ts", "node:crypto", true],
    ["src/domain/seal.ts", "node:fs", false],
    ["src/domain/seal.ts", "jose", false],
    ["src/http/token.ts", "jose", true],
    ["src/http/token.ts", "", false],
  ];
  for (const [from, to, allowed] of packages) {
    test(`${from} ${allowed ? "may" : "may not"} import the package "${to}"`, () => {
      const rule = broken(from, { to, local: false, line: 1 });
      expect(rule === undefined).toBe(allowed);
    });
  }

  const strays = ["src/util.ts", "src/feature/card/sub/a.ts", "src/feature/unheard/service.ts"];
  for (const path of strays) {
    test(`${path} has no place`, () => expect(misplaced(path)).toBeString());
  }
});

describe("the domain's rule", () => {
  const faultsOf = (text: string): string[] =>
    impurities(readSource("src/domain/a.ts", text)).map((fault) => fault.replace(/^.*?: /, ""));
  const cases: [string, string[]][] = [
    ["const f = async () => await g();", ["async", "await"]],
    ["async function f() { for await (const x of y) z(x); }", ["async", "for await"]],
    ["const t = Date.now();", ["Date.now"]],
    ["const t = new Date();", ["the current date"]],
    ["const t = new Date;", ["the current date"]],
    ["const t = Date();", ["the current date"]],
    ["const r = Math.random();", ["Math.random"]],
    ['fetch("x");', ["fetch"]],
    ["crypto.getRandomValues(b);", ["getRandomValues"]],
    ['import { randomBytes } from "node:crypto";', ["randomBytes"]],
    ["const e = process.env;", ["process"]],
    ['console.log("x");', ["console"]],
    ['const x = Bun.file("x");', ["Bun.file"]],
    ["const p: Promise<void> = q;", ["Promise"]],
    ["const d = import.meta.dir;", ["import.meta"]],
  ];
  for (const [text, faults] of cases) {
    test(`refuses ${text}`, () => expect([...new Set(faultsOf(text))]).toEqual(faults));
  }

  const fine = [
    "const t = new Date(nowMs).toISOString();",
    "const h = new Bun.CryptoHasher('sha256'); const n = Bun.hash(x); const m = Math.max(1, 2);",
    "const x = { process: 1, console: 2 }; const y = x.process; type T = { fetch: number };",
    "// await Date.now() Math.random()\nconst s = `async await Date.now()`;",
  ];
  for (const text of fine) test(`takes ${text}`, () => expect(faultsOf(text)).toEqual([]));
});

describe("circles and reach", () => {
  const tree = (files: Record<string, string>): Map<string, Source> =>
    new Map(Object.entries(files).map(([path, text]) => [path, readSource(path, text)]));

  test("a circle is told as the way around, type imports included", () => {
    const files = tree({
      "src/a.ts": 'import { b } from "./b.ts";',
      "src/b.ts": 'import type { C } from "./c.ts";',
      "src/c.ts": 'import { b } from "./b.ts"; export * from "./d.ts";',
      "src/d.ts": "",
    });
    expect(circles(files)).toEqual(["src/b.ts → src/c.ts → src/b.ts"]);
    expect([...reach(files, ["src/c.ts"])].sort()).toEqual(["src/b.ts", "src/c.ts", "src/d.ts"]);
  });
});
