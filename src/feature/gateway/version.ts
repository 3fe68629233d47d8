/**
 * Versions of the API and their end. Deprecating one freezes its whole document in a file, once and for
 * ever, and tells every active tenant. How an ending version stands lies in memory, where each call
 * looks.
 */
import {
  snapshotPath,
  sunsetMinMs,
  type VersionStatus,
  versionHeaders,
  versionStatus,
} from "../../domain/apiversion.ts";
import type { Actor } from "../../domain/audit.ts";
import { Problem } from "../../domain/problem.ts";
import { yamlText } from "../../domain/yaml.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { FrozenFiles } from "../../system/frozen.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";
import type { EndedVersion } from "./store.ts";
import * as rows from "./store.ts";

/** An OpenAPI document, as a value. */
export type ApiDocument = Readonly<Record<string, unknown>>;

export interface VersionDeps {
  readonly store: Store;
  readonly audit: Pick<AuditService, "append">;
  readonly event: EventService;
  readonly frozen: FrozenFiles;
  /** The whole document of each version there is, made when asked for; 0 is the device surface. */
  readonly documents: ReadonlyMap<number, () => ApiDocument>;
}

export interface ApiVersion {
  readonly version: number;
  readonly status: VersionStatus;
  readonly deprecatedAtMs: number | null;
  readonly sunsetAtMs: number | null;
  readonly snapshotUrl: string | null;
}

export interface Deprecation {
  readonly sunsetAtMs: number;
  /** The version to move to, as the caller names it. */
  readonly successor?: number | string | undefined;
}

/** A document, put aside durably; it gets its name when the deprecation is committed. */
export interface Snapshot {
  readonly version: number;
  readonly hash: Uint8Array;
  /** `GET /users` and so on. */
  readonly endpoints: readonly string[];
}

/** How calls of a version are to be answered. */
export interface Notice {
  readonly headers: Readonly<Record<string, string>>;
  readonly ended: boolean;
}

const deprecated = "platform.api.deprecated";
const verbs = ["get", "post", "patch", "delete"];
const fileOf = (version: number): string => `api-specs/v${version}/openapi.yaml`;

/** What stands below no base, such as a probe, is of no version. */
const endpointsOf = ({ paths }: ApiDocument): string[] =>
  Object.entries((paths ?? {}) as Record<string, object>)
    .filter(([path]) => path.startsWith("/api/"))
    .flatMap(([path, item]) =>
      verbs.filter((verb) => verb in item).map((verb) => `${verb.toUpperCase()} ${path}`),
    );

export function versionBook({ store, audit, event, frozen, documents }: VersionDeps) {
  let ending = new Map<number, EndedVersion>();

  /** Reads what was announced. Once, before calls are served. */
  async function open(): Promise<void> {
    const all = await store.read((q) => rows.endingVersions(q));
    ending = new Map(all.map((each) => [each.version, each]));
  }

  /** Null as long as nothing is announced of it. */
  function notice(version: number, nowMs: number): Notice | null {
    const each = ending.get(version);
    if (each === undefined) return null;
    return { headers: versionHeaders(each), ended: versionStatus(each, nowMs) === "sunset" };
  }

  function view(version: number, nowMs: number): ApiVersion {
    const each = ending.get(version);
    return {
      version,
      status: versionStatus(each, nowMs),
      deprecatedAtMs: each?.deprecatedAtMs ?? null,
      sunsetAtMs: each?.sunsetAtMs ?? null,
      snapshotUrl: each === undefined ? null : snapshotPath(version),
    };
  }

  /** Highest first. */
  const list = (nowMs: number): ApiVersion[] =>
    [...documents.keys()].sort((a, b) => b - a).map((version) => view(version, nowMs));

  /**
   * Whether the version may be deprecated so, and its document put aside. Before the write.
   * @throws Problem not-found · wrong-state (it is already) · sunset-too-soon
   */
  async function prepare(
    version: number,
    { sunsetAtMs }: Deprecation,
    nowMs: number,
  ): Promise<Snapshot> {
    const document = documents.get(version);
    if (document === undefined) throw new Problem("not-found", "There is no such version.");
    checkCurrent(version, nowMs);
    const earliestMs = sunsetMinMs(nowMs);
    if (sunsetAtMs < earliestMs) {
      const earliest = new Date(earliestMs).toISOString();
      throw new Problem("sunset-too-soon", `The sunset is to be ${earliest} or later.`, {
        field: "sunsetAt",
      });
    }
    const made = document();
    const hash = await frozen.put(fileOf(version), yamlText(made));
    return { version, hash, endpoints: endpointsOf(made) };
  }

  function checkCurrent(version: number, nowMs: number): void {
    const state = versionStatus(ending.get(version), nowMs);
    if (state === "current") return;
    throw new Problem("wrong-state", `Version ${version} is ${state}.`, { members: { state } });
  }

  /** Announces the end to every active tenant. @throws Problem wrong-state (somebody was faster) */
  async function deprecate(
    tx: Writer,
    { version, hash, endpoints }: Snapshot,
    { sunsetAtMs, successor }: Deprecation,
    by: { readonly tenantId: number; readonly actor: Actor },
    nowMs: number,
  ): Promise<ApiVersion> {
    checkCurrent(version, nowMs);
    const each: EndedVersion = {
      version,
      deprecatedAtMs: nowMs,
      sunsetAtMs,
      successor: successor === undefined ? null : String(successor),
      documentHash: hash,
    };
    await rows.insertVersion(tx, each);
    const sunsetDate = new Date(sunsetAtMs).toISOString();
    const targetVersion = successor ?? null;
    await audit.append(tx, {
      tenantId: by.tenantId,
      atMs: nowMs,
      action: deprecated,
      entityType: "apiVersion",
      entityId: String(version),
      actor: by.actor,
      after: { version, targetVersion, sunsetDate, document: hash.toHex() },
    });
    const data = { version, targetVersion, sunsetDate, affectedEndpoints: endpoints };
    for (const tenantId of await rows.activeTenantIds(tx)) {
      await event.publish(tx, { tenantId, type: deprecated, data, atMs: nowMs });
    }
    const before = ending;
    // At once, so that a second one of the same group is refused; readers see it after the COMMIT.
    ending = new Map(before).set(version, each);
    tx.onRollback(() => {
      ending = before;
    });
    return view(version, nowMs);
  }

  /** Names the file of a deprecation that is committed. */
  const freeze = ({ version, hash }: Snapshot): Promise<void> => frozen.fix(fileOf(version), hash);

  /** The frozen document as YAML; null for a version that was never deprecated. */
  async function document(version: number): Promise<string | null> {
    const each = ending.get(version);
    return each === undefined ? null : await frozen.read(fileOf(version), each.documentHash);
  }

  return {
    /** Of every version there is. */
    numbers: [...documents.keys()],
    ...{ open, notice, list, prepare, deprecate, freeze, document },
  };
}
