/**
 * Who may import whom: the rank table of the tree as data, and the few rules that a rank alone cannot
 * say. Lower ranks stand higher: a file imports only from rows below its own.
 */
import type { Edge } from "./graph.ts";

type Kind =
  | "main"
  | "command"
  | "app"
  | "surface"
  | "sim"
  | "console"
  | "route"
  | "service"
  | "part"
  | "feature store"
  | "http"
  | "store"
  | "system"
  | "config"
  | "domain"
  | "schema";

interface Place {
  readonly kind: Kind;
  readonly rank: number;
  readonly feature?: string;
  /** File name without its ending. */
  readonly name?: string;
}

/**
 * Columns: kind, rank, what its paths look like. The first row that fits is the place. A part is a
 * piece of one feature's service in a file of its own.
 */
const places: readonly (readonly [Kind, number, RegExp])[] = [
  ["main", 0, /^src\/main\.ts$/],
  ["command", 1, /^src\/command\/[^/]+\.ts$/],
  ["app", 2, /^src\/(app|compose|documents|instrument|routes|serve|surface)\.ts$/],
  ["surface", 3, /^src\/(terminal|platform)\.ts$/],
  ["sim", 3, /^src\/sim\//],
  ["console", 3, /^src\/console\//],
  ["route", 4, /^src\/feature\/(?<feature>[^/]+)\/(?<name>terminal|platform|guard|job)\.ts$/],
  ["service", 5, /^src\/feature\/(?<feature>[^/]+)\/(?<name>service)\.ts$/],
  ["feature store", 7, /^src\/feature\/(?<feature>[^/]+)\/(?<name>store)\.ts$/],
  ["part", 6, /^src\/feature\/(?<feature>[^/]+)\/(?<name>[a-z]+)\.ts$/],
  ["http", 8, /^src\/http\/(?:platform\/)?[^/]+\.ts$/],
  ["store", 8, /^src\/store\/[^/]+\.ts$/],
  ["system", 8, /^src\/system\/[^/]+\.ts$/],
  ["config", 8, /^src\/config\.ts$/],
  ["domain", 9, /^src\/domain\/[^/]+\.ts$/],
  ["schema", 10, /^schema\//],
];

/** A service knows other services only of groups to the left of its own. */
const featureOrder: readonly (readonly string[])[] = [
  ["audit", "event", "account"],
  ["signing", "mail", "job"],
  ["access"],
  ["role"],
  ["invitation"],
  ["tenant", "money", "policy", "member", "key", "flag", "token"],
  ["auth"],
  ["user", "apikey", "self"],
  ["oauth", "provider"],
  ["device", "blocklist", "settlement"],
  ["session"],
  ["card"],
  ["topup"],
  ["reconcile"],
  ["report", "review", "reissue", "refund", "wallet", "verify"],
  ["notify", "file", "billing", "data", "gateway", "fleet"],
];

const partRule = "parts of a service are its own alone";
/** The interface of the store, which knows no engine. */
const seam = "src/store/seam.ts";

const groupOf = (feature: string): number =>
  featureOrder.findIndex((group) => group.includes(feature));

const placeOf = (path: string): Place | undefined => {
  for (const [kind, rank, pattern] of places) {
    const match = pattern.exec(path);
    if (match) return { kind, rank, ...match.groups };
  }
  return undefined;
};

/** What is wrong with where a file stands, or undefined. */
export const misplaced = (path: string): string | undefined => {
  const place = placeOf(path);
  if (!place) return "no place in the rank table: see `places` in test/tidy/rank.ts";
  if (place.feature !== undefined && groupOf(place.feature) < 0) {
    return `feature "${place.feature}" is not in the order of features`;
  }
  return undefined;
};

const ofPackage = (path: string, from: Place, name: string): string | undefined => {
  if (name === "") return "an import must name its file";
  if (from.kind === "schema") {
    const isContract = path.startsWith("schema/contract/");
    if (isContract && /^@sinclair\/typebox(\/|$)/.test(name)) return undefined;
    return "schema imports no package, contracts only TypeBox";
  }
  if (from.kind === "domain" && !/^(@noble\/|node:crypto$)/.test(name)) {
    return "domain imports only @noble/* and node:crypto";
  }
  return undefined;
};

/** For services and their parts. */
const ofService = (from: Place, to: Place, path: string): string | undefined => {
  if (["system", "domain", "schema"].includes(to.kind) || path === seam) return undefined;
  const isOwn = to.feature !== undefined && to.feature === from.feature;
  switch (to.kind) {
    case "feature store":
      return isOwn ? undefined : "a service uses its own store alone";
    case "part":
      return isOwn ? undefined : partRule;
    case "service":
      return groupOf(to.feature ?? "") < groupOf(from.feature ?? "")
        ? undefined
        : "a service uses other services only leftward in the feature order";
    default:
      return "a service imports its store, services to its left, the seam, system, domain, schema";
  }
};

const ofFeatureStore = (to: Place, path: string): string | undefined =>
  path.startsWith("schema/query/") || path === seam || to.kind === "domain"
    ? undefined
    : "a feature's store imports only schema/query, the store seam and the domain";

const ofRoute = (from: Place, to: Place): string | undefined => {
  if (to.feature === undefined || to.name === "guard") return undefined;
  if (to.feature !== from.feature) return "a route imports of other features only guard.ts";
  if (to.kind === "part") return partRule;
  return to.rank > from.rank ? undefined : "routes of a feature share only its guard.ts";
};

/** Of its own row a file may import its own folder, system, and the seam. */
const byRank = (from: Place, to: Place, path: string): string | undefined => {
  if (to.rank > from.rank) return undefined;
  const isFolder = !["surface", "route", "service", "part", "feature store"].includes(from.kind);
  if (to.kind === from.kind && isFolder) return undefined;
  if (to.rank === from.rank && (to.kind === "system" || path === seam)) return undefined;
  return `${from.kind} (rank ${from.rank}) imports only from rows below it, not ${to.kind} (rank ${to.rank})`;
};

/** The rule that this import of the file at `path` breaks, or undefined. */
export const broken = (path: string, edge: Edge): string | undefined => {
  const from = placeOf(path);
  if (!from) return undefined;
  if (!edge.local) return ofPackage(path, from, edge.to);
  if (/^(test|bench)\//.test(edge.to)) return "what ships imports nothing of test or bench";
  if (edge.to === "package.json" && from.kind === "system") return undefined;
  if (from.kind === "schema" && edge.to.startsWith("src/")) return "schema imports nothing of src";
  const to = placeOf(edge.to);
  if (!to) return "imports from no place in the rank table";
  if (from.kind === "console" && to.kind !== "console" && !edge.to.startsWith("schema/contract/")) {
    return "the console knows only schema/contract";
  }
  if (from.kind === "service" || from.kind === "part") return ofService(from, to, edge.to);
  if (from.kind === "feature store") return ofFeatureStore(to, edge.to);
  if (from.kind === "route" && to.feature !== undefined) return ofRoute(from, to);
  if (to.kind === "part") return partRule;
  return byRank(from, to, edge.to);
};
