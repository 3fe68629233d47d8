/**
 * The bill of materials of the program, as CycloneDX 1.6 in JSON: every package that the bundler takes
 * up, with version, licence, archive hash and who needs whom; and the runtime that is compiled in, with
 * what that was built from. Nothing of what is only used to build or test.
 */
import { Database } from "bun:sqlite";
import { Factories } from "@cyclonedx/cyclonedx-library/Contrib/License";
import {
  ComponentType,
  ExternalReferenceType,
  HashAlgorithm,
} from "@cyclonedx/cyclonedx-library/Enums";
import {
  Bom,
  Component,
  ExternalReference,
  HashDictionary,
  Property,
  Tool,
} from "@cyclonedx/cyclonedx-library/Models";
import { JSON as Json, JsonSerializer } from "@cyclonedx/cyclonedx-library/Serialize";
import { Spec1dot6 } from "@cyclonedx/cyclonedx-library/Spec";
import { PackageURL } from "packageurl-js";
import manifest from "../../package.json" with { type: "json" };
import { type Bundled, bundled } from "./bundle.ts";
import { neededBy } from "./lock.ts";

/** Files of these are their makers' own bundles: code of further packages is in them, unnamed here. */
const prebuilt: ReadonlySet<string> = new Set(["redoc", "swagger-ui-dist"]);

/** Of what Bun was built from, what it names by version or commit; not what it only stands in for. */
const runtimeParts = [
  ...["boringssl", "webkit", "usockets", "uwebsockets", "picohttpparser", "llhttp", "ares"],
  ...[
    "zlib",
    "zstd",
    "libdeflate",
    "libarchive",
    "lolhtml",
    "lshpack",
    "tinycc",
    "mimalloc",
    "icu",
  ],
] as const;

const licences = new Factories.LicenseFactory(() => undefined);

function packageOf({ name, version, integrity, licence, repository, key }: Bundled): Component {
  const [scope, own] = name.startsWith("@") ? name.split("/") : [undefined, name];
  const hash = Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex");
  const component = new Component(ComponentType.Library, own ?? name, {
    ...(scope !== undefined && { group: scope }),
    ...{ version, bomRef: `${key}@${version}` },
    purl: new PackageURL("npm", scope, own, version).toString(),
    hashes: new HashDictionary([[HashAlgorithm["SHA-512"], hash]]),
  });
  if (licence !== "") component.licenses.add(licences.makeFromString(licence));
  const source = repository?.replace(/^git\+/, "");
  if (source !== undefined && URL.canParse(source)) {
    component.externalReferences.add(new ExternalReference(source, ExternalReferenceType.VCS));
  }
  if (prebuilt.has(name)) {
    component.properties.add(
      new Property("kartu:prebuilt", "carries packages that its makers bundled; not listed here"),
    );
  }
  return component;
}

function runtime(): Component {
  const version = process.versions.bun ?? "";
  const bun = new Component(ComponentType.Platform, "bun", {
    ...{ version, bomRef: `bun@${version}` },
    purl: new PackageURL("github", "oven-sh", "bun", `bun-v${version}`).toString(),
  });
  bun.licenses.add(licences.makeFromString("MIT"));
  const database = new Database(":memory:");
  const sqlite = database
    .query<{ version: string }, []>("SELECT sqlite_version() AS version")
    .get();
  database.close();
  const parts: [string, string | undefined][] = [["sqlite", sqlite?.version]];
  for (const name of runtimeParts) parts.push([name, process.versions[name]]);
  for (const [name, of] of parts) {
    if (of === undefined) throw new Error(`Bun does not say which ${name} it has`);
    const bomRef = `bun/${name}@${of}`;
    const purl = new PackageURL("generic", undefined, name, of).toString();
    bun.components.add(new Component(ComponentType.Library, name, { version: of, bomRef, purl }));
  }
  return bun;
}

/** The document. `atMs` is the moment that it is said to be of. */
export async function sbom(atMs: number): Promise<string> {
  const { name, version, license } = manifest;
  const program = new Component(ComponentType.Application, name, {
    ...{ version, bomRef: `${name}@${version}` },
    purl: new PackageURL("generic", undefined, name, version).toString(),
  });
  program.licenses.add(licences.makeFromString(license));
  const bom = new Bom();
  bom.metadata.component = program;
  bom.metadata.timestamp = new Date(atMs);
  bom.metadata.tools.tools.add(new Tool({ name: "kartu sbom", version }));
  const packages = new Map((await bundled()).map((each) => [each.key, packageOf(each)]));
  const bun = runtime();
  bom.components.add(bun);
  program.dependencies.add(bun.bomRef);
  for (const [key, component] of packages) {
    bom.components.add(component);
    if (key in manifest.dependencies) program.dependencies.add(component.bomRef);
    for (const needed of neededBy(key)) {
      const other = packages.get(needed);
      if (other !== undefined) component.dependencies.add(other.bomRef);
    }
  }
  const serializer = new JsonSerializer(new Json.Normalize.Factory(Spec1dot6));
  return serializer.serialize(bom, { sortLists: true, space: 2 });
}
