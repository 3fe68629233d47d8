/**
 * The import graph of the tree, read with a real parser so that type imports count and comments and
 * strings do not. It judges nothing.
 */
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { parseSync } from "oxc-parser";

export interface Edge {
  /** A path from the root of the checkout, or the name of a package. */
  readonly to: string;
  readonly local: boolean;
  readonly line: number;
}

/** A node of the syntax tree: only what walking it needs. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly [field: string]: unknown;
}

export interface Source {
  readonly path: string;
  readonly text: string;
  readonly edges: readonly Edge[];
  readonly program: Node | undefined;
}

export const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && typeof (value as Node).type === "string";

/** Calls `visit` for `node` and all below it, parents first. */
export const walk = (
  node: Node,
  visit: (node: Node, parent: Node | undefined) => void,
  parent?: Node,
): void => {
  visit(node, parent);
  for (const value of Object.values(node)) {
    if (isNode(value)) walk(value, visit, node);
    else if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) walk(item, visit, node);
    }
  }
};

export const lineAt = (text: string, offset: number): number =>
  text.slice(0, offset).split("\n").length;

const literal = (value: unknown): string | undefined =>
  isNode(value) && value.type === "Literal" && typeof value.value === "string"
    ? value.value
    : undefined;

/** What `node` asks for, if it is an import of any form; "" when the path is computed. */
const requestOf = (node: Node): string | undefined => {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportAllDeclaration":
    case "ExportNamedDeclaration":
      return literal(node.source);
    case "ImportExpression":
    case "TSImportType":
      return literal(node.source) ?? "";
    case "NewExpression": {
      // new URL("./x.ts", import.meta.url): a worker, or a file that is bundled.
      const [first, second] = Array.isArray(node.arguments) ? node.arguments : [];
      const isUrl = isNode(node.callee) && node.callee.name === "URL" && isNode(second);
      const name = literal(first);
      return isUrl && name?.startsWith(".") ? name : undefined;
    }
    default:
      return undefined;
  }
};

const edgeOf = (from: string, name: string, line: number): Edge => {
  const local = name.startsWith(".");
  return { to: local ? normalize(join(dirname(from), name)) : name, local, line };
};

/** The imports of one file, given its text. */
export const readSource = (path: string, text: string): Source => {
  const edges: Edge[] = [];
  if (/\.html$/.test(path)) {
    for (const { 1: name = "", index } of text.matchAll(/(?:src|href)="(\.{1,2}\/[^"]+)"/g)) {
      edges.push(edgeOf(path, name, lineAt(text, index)));
    }
  }
  if (!/\.tsx?$/.test(path)) return { path, text, edges, program: undefined };
  const parsed = parseSync(path, text);
  const [fault] = parsed.errors;
  if (fault) throw new Error(`${path}: ${fault.message}`);
  const program = parsed.program as unknown as Node;
  walk(program, (node) => {
    const name = requestOf(node);
    if (name !== undefined) edges.push(edgeOf(path, name, lineAt(text, node.start)));
  });
  return { path, text, edges, program };
};

/** Every file of `folders` below `root`, by its path from there. */
export const readTree = (root: string, folders: readonly string[]): Map<string, Source> => {
  const sources = new Map<string, Source>();
  for (const folder of folders) {
    const found = [...new Bun.Glob(`${folder}/**/*`).scanSync({ cwd: root, dot: false })];
    for (const path of found.sort()) {
      if (path.includes("node_modules/")) continue;
      const isText = /\.(tsx?|html|css|sql)$/.test(path);
      sources.set(path, readSource(path, isText ? readFileSync(join(root, path), "utf8") : ""));
    }
  }
  return sources;
};

/** Everything that `roots` import, at any depth, with themselves. */
export const reach = (
  sources: ReadonlyMap<string, Source>,
  roots: Iterable<string>,
): Set<string> => {
  const seen = new Set<string>();
  const queue = [...roots];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const source = sources.get(path);
    if (!source || seen.has(path)) continue;
    seen.add(path);
    for (const edge of source.edges) if (edge.local) queue.push(edge.to);
  }
  return seen;
};

/** One circle of imports for each file that closes one, as the way around. */
export const circles = (sources: ReadonlyMap<string, Source>): string[] => {
  const found: string[] = [];
  const done = new Set<string>();
  const way: string[] = [];
  const enter = (path: string): void => {
    if (way.includes(path)) {
      found.push([...way.slice(way.indexOf(path)), path].join(" → "));
      return;
    }
    if (done.has(path)) return;
    done.add(path);
    way.push(path);
    for (const edge of sources.get(path)?.edges ?? []) if (edge.local) enter(edge.to);
    way.pop();
  };
  for (const path of sources.keys()) enter(path);
  return found;
};
