/** What the domain must not contain: anything that waits, tells the time, draws lots or reaches out. */
import { isNode, lineAt, type Node, type Source, walk } from "./graph.ts";

const worldly = new Set([
  ...["Promise", "fetch", "setTimeout", "setInterval", "setImmediate", "queueMicrotask"],
  ...["process", "console", "performance", "globalThis", "navigator", "require"],
  ...["WebSocket", "Worker", "EventSource", "XMLHttpRequest"],
]);
const drawsLots =
  /^(getRandomValues|random(Bytes|UUID|UUIDv7|Int|Fill|FillSync)|generate(Key|Prime).*|subtle)$/;
const hashers = /^(CryptoHasher|hash|MD[45]|SHA.*|deepEquals)$/;

const nameOf = (value: unknown): string =>
  isNode(value) && value.type === "Identifier" ? String(value.name) : "";

/** A name that stands for itself, rather than for a property or a label. */
const isReference = (node: Node, parent: Node | undefined): boolean => {
  if (!parent || parent.computed === true) return true;
  const isKey = parent.key === node && parent.shorthand !== true;
  return !isKey && parent.property !== node;
};

const ofName = (name: string, node: Node, parent: Node | undefined): string | undefined => {
  if (drawsLots.test(name)) return name;
  return worldly.has(name) && isReference(node, parent) ? name : undefined;
};

const ofMember = (node: Node): string | undefined => {
  const [object, property] = [nameOf(node.object), nameOf(node.property)];
  const said = `${object}.${property}`;
  if (said === "Date.now" || said === "Math.random") return said;
  return object === "Bun" && !hashers.test(property) ? said : undefined;
};

const ofDate = (node: Node): string | undefined => {
  if (nameOf(node.callee) !== "Date") return undefined;
  const isEmpty = Array.isArray(node.arguments) && node.arguments.length === 0;
  return node.type === "CallExpression" || isEmpty ? "the current date" : undefined;
};

const impure = (node: Node, parent: Node | undefined): string | undefined => {
  switch (node.type) {
    case "AwaitExpression":
      return "await";
    case "ForOfStatement":
      return node.await === true ? "for await" : undefined;
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
      return node.async === true ? "async" : undefined;
    case "ImportExpression":
      return "import()";
    case "MetaProperty":
      return nameOf(node.meta) === "import" ? "import.meta" : undefined;
    case "Identifier":
      return ofName(String(node.name), node, parent);
    case "MemberExpression":
      return ofMember(node);
    case "NewExpression":
    case "CallExpression":
      return ofDate(node);
    default:
      return undefined;
  }
};

/** Each impure thing of a file, as `path:line: what`. */
export const impurities = (source: Source): string[] => {
  const found: string[] = [];
  if (!source.program) return found;
  walk(source.program, (node, parent) => {
    const what = impure(node, parent);
    if (what) found.push(`${source.path}:${lineAt(source.text, node.start)}: ${what}`);
  });
  return [...new Set(found)];
};
