/**
 * What the program is made of: the bill of materials is valid and says no more and no less than the
 * bundler does; licences are ones that we may pass on; known weaknesses are mended or explained.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Version } from "@cyclonedx/cyclonedx-library/Spec";
import { JsonStrictValidator } from "@cyclonedx/cyclonedx-library/Validation";
import manifest from "../../package.json" with { type: "json" };
import { type Audit, audit, explained } from "./audit.ts";
import { type Bundled, bundled, manifestOf } from "./bundle.ts";
import { allKeys, locked, production } from "./lock.ts";
import { sbom } from "./sbom.ts";

/** SPDX ids that ask for no more than to be named. */
const allowed = [
  ...["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "Python-2.0"],
];

/** Where package.json says it loosely, not at all, or leaves a choice: read in the licence's file. */
const licenceByHand: Readonly<Record<string, string>> = {
  decko: "MIT",
  dompurify: "Apache-2.0",
  stickyfill: "MIT",
  "url-template": "BSD-3-Clause",
};

interface Component {
  readonly type: string;
  readonly name: string;
  readonly group?: string;
  readonly version: string;
  readonly purl: string;
  readonly "bom-ref": string;
  readonly licenses?: readonly unknown[];
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly components?: readonly Component[];
}
interface Document {
  readonly specVersion: string;
  readonly metadata: { readonly timestamp: string; readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: string[] }[];
}

const atMs = Date.UTC(2026, 10, 22);
const audited = await audit(new Date().toISOString().slice(0, 10), explained);
let packages: readonly Bundled[];
let text: string;
let document: Document;

beforeAll(async () => {
  packages = await bundled();
  text = await sbom(atMs);
  document = JSON.parse(text);
});

const libraries = (): readonly Component[] =>
  document.components.filter(({ type }) => type === "library");
const fullName = ({ group, name }: Component): string => (group ? `${group}/${name}` : name);

describe("the bill of materials", () => {
  test("is a CycloneDX 1.6 document, by its schema", async () => {
    const faults = await new JsonStrictValidator(Version.v1dot6).validate(text);
    expect(faults).toBeNull();
    expect(document.specVersion).toBe("1.6");
    expect(document.metadata.timestamp).toBe("2026-11-22T00:00:00.000Z");
    expect(document.metadata.component).toMatchObject({ name: "kartu", version: manifest.version });
  });

  test("lists the packages that the build takes up, and no other", () => {
    const listed = libraries().map((each) => `${fullName(each)}@${each.version}`);
    expect(listed.sort()).toEqual(packages.map(({ name, version }) => `${name}@${version}`).sort());
    expect(listed.length).toBeGreaterThan(30);
  });

  test("says of each where it comes from, under which licence, and by which hash", () => {
    for (const component of libraries()) {
      const [hash] = component.hashes ?? [];
      expect([component.name, component.purl.split("/")[0]]).toEqual([component.name, "pkg:npm"]);
      expect([component.name, hash?.alg, hash?.content.length]).toEqual([
        ...[component.name, "SHA-512", 128],
      ]);
      expect([component.name, component.licenses?.length]).toEqual([component.name, 1]);
    }
  });

  test("has the runtime, with the database and the cryptography that are built into it", () => {
    const bun = document.components.find(({ name }) => name === "bun");
    expect(bun).toMatchObject({ type: "platform", version: Bun.version });
    const parts = bun?.components?.map(({ name }) => name) ?? [];
    for (const part of ["sqlite", "boringssl", "webkit", "uwebsockets"]) {
      expect(parts).toContain(part);
    }
  });

  test("tells who needs whom, from the program down, and leaves nobody out", () => {
    const needs = new Map(document.dependencies.map(({ ref, dependsOn = [] }) => [ref, dependsOn]));
    const seen = new Set<string>();
    const waiting = [document.metadata.component["bom-ref"]];
    for (let ref = waiting.pop(); ref !== undefined; ref = waiting.pop()) {
      if (seen.has(ref)) continue;
      seen.add(ref);
      waiting.push(...(needs.get(ref) ?? []));
    }
    const alone = libraries().filter((each) => !seen.has(each["bom-ref"]));
    expect(alone.map(fullName)).toEqual(notAskedFor);
  });

  test("is the same for the same tree and moment", async () => {
    expect(await sbom(atMs)).toBe(text);
  });
});

/** `debug` takes it along for the colours of a terminal where it happens to be installed. */
const notAskedFor = ["supports-color"];

describe("packages", () => {
  test("that the build takes up are ones that a production install brings", () => {
    const due = production();
    expect(packages.filter(({ key }) => !due.has(key)).map(({ name }) => name)).toEqual(
      notAskedFor,
    );
  });

  test("are pinned exactly, and every one of the lock file by a hash", () => {
    const { dependencies, devDependencies } = manifest;
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      expect([name, version]).toEqual([name, locked(name).version]);
    }
    for (const key of allKeys()) expect(locked(key).integrity).toStartWith("sha512-");
  });

  test("run nothing when they are installed", () => {
    expect(manifest).not.toHaveProperty("trustedDependencies");
  });

  test("that are passed on are under a licence that allows it", () => {
    const keys = new Set([...production(), ...packages.map(({ key }) => key)]);
    const licenceOf = (key: string): string => licenceByHand[key] ?? manifestOf(key).license ?? "";
    const others = [...keys].filter((key) => !allowed.includes(licenceOf(key)));
    expect(others.map((key) => `${key} ${licenceOf(key)}`)).toEqual([]);
    expect(Object.keys(licenceByHand).filter((key) => !keys.has(key))).toEqual([]);
    expect(keys.size).toBeGreaterThan(packages.length);
  });
});

describe("known weaknesses", () => {
  if (typeof audited === "string") {
    test.skip(`not run: no audit of this registry (${audited})`, () => undefined);
  } else {
    test("high and critical ones are mended or explained", () => {
      for (const line of audited.known) process.stderr.write(`audit: ${line}\n`);
      expect(audited.findings).toEqual([]);
    });
  }

  test("each explanation says why, of what, and ends some day", () => {
    for (const { id, package: name, why, until } of explained) {
      expect(id).toMatch(/^GHSA(-[0-9a-z]{4}){3}$/);
      expect(allKeys()).toContain(name);
      expect(why.length).toBeGreaterThan(20);
      expect(until).toMatch(/^\d{4}-\d\d-\d\d$/);
    }
  });
});

describe("a registry that knows of one", () => {
  let url = "";
  let severity = "high";
  const server = Bun.serve({
    ...{ port: 0, hostname: "127.0.0.1" },
    fetch: () =>
      Response.json({
        jose: [
          {
            ...{ id: 1, url: "https://github.com/advisories/GHSA-aaaa-bbbb-cccc", severity },
            ...{ title: "takes anything", vulnerable_versions: "<99", cwe: [] },
            cvss: { score: 8, vectorString: null },
          },
        ],
      }),
  });
  beforeAll(() => {
    url = String(server.url);
  });
  afterAll(() => server.stop(true));

  const line = "jose <99 high GHSA-aaaa-bbbb-cccc: takes anything";
  const why = {
    id: "GHSA-aaaa-bbbb-cccc",
    package: "jose",
    why: "never asked",
    until: "2026-11-22",
  };
  const ask = async (today: string, list: Parameters<typeof audit>[1]): Promise<Audit> => {
    const answer = await audit(today, list, url);
    if (typeof answer === "string") throw new Error(answer);
    return answer;
  };

  test("fails, unless it is explained, and no longer than until that day", async () => {
    expect(await ask("2026-11-22", [])).toEqual({ findings: [line], known: [] });
    expect(await ask("2026-11-22", [why])).toEqual({
      ...{ findings: [], known: [`${line} (never asked)`] },
    });
    expect((await ask("2026-11-23", [why])).findings).toEqual([line]);
    expect((await ask("2026-11-22", [{ ...why, package: "elysia" }])).findings).toEqual([line]);
  });

  test("of less weight is told of, no more", async () => {
    severity = "moderate";
    expect(await ask("2026-11-22", [])).toEqual({
      ...{ findings: [], known: [line.replace("high", "moderate")] },
    });
  });

  test("that is not there, or refuses, is no finding", async () => {
    await server.stop(true);
    expect(await audit("2026-11-22", [], url)).toBeString();
  });
});
