/**
 * Every operation of the documents that a server serves, ready to be attacked and to judge answers with;
 * and the doors besides that no document describes. Nothing here is made from the routes' own contracts.
 */
import type { Elysia } from "elysia";

/** What is used of JSON Schema 2020-12. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: string | number | boolean;
  readonly anyOf?: readonly Schema[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
}

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly schema: Schema;
}

type Content = Readonly<Record<string, { readonly schema: Schema; readonly examples?: object }>>;

interface RawOperation {
  readonly operationId: string;
  readonly security: readonly object[];
  readonly "x-permission": string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  readonly components: { readonly schemas?: object };
}

export interface Answer {
  /** By media type. */
  readonly content: ReadonlyMap<string, Schema>;
  /** Codes or slugs of errors that are named. */
  readonly codes: ReadonlySet<string>;
}

export interface Operation {
  /** `POST /api/v1/users/{id}/block` */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly steps: readonly string[];
  readonly surface: "device" | "operator";
  /** What the caller must hold; `public`: nothing. */
  readonly permission: string;
  readonly parameters: readonly Parameter[];
  readonly body: { readonly media: string; readonly schema: Schema } | null;
  /** By status; null: no document describes it. */
  readonly answers: ReadonlyMap<number, Answer> | null;
  /** What references lead to. */
  readonly schemas: object;
}

const namespaces = ["terminal", "iam", "fleet", "money", "gateway"] as const;
export const operatorBase = "/api/v1";
export const aliasBase = "/v1";

/** How the errors of a path look. */
export const surfaceOf = (path: string): Operation["surface"] =>
  /^\/api(\/|$)/.test(path) && !/^\/api\/v1(\/|$)/.test(path) ? "device" : "operator";

function answerOf({ content = {} }: { readonly content?: Content }): Answer {
  const types = Object.entries(content);
  return {
    content: new Map(types.map(([type, { schema }]) => [type, schema])),
    codes: new Set(types.flatMap(([, { examples }]) => Object.keys(examples ?? {}))),
  };
}

function operationOf(path: string, method: string, raw: RawOperation, schemas: object): Operation {
  const [media] = Object.entries(raw.requestBody?.content ?? {});
  const answers = Object.entries(raw.responses);
  return {
    name: `${method} ${path}`,
    ...{ method, path, steps: path.split("/"), schemas },
    surface: surfaceOf(path),
    permission: raw["x-permission"],
    parameters: raw.parameters ?? [],
    body: media === undefined ? null : { media: media[0], schema: media[1].schema },
    answers: new Map(answers.map(([status, answer]) => [Number(status), answerOf(answer)])),
  };
}

/** A door that is in no document: a page, or a document itself. */
const undescribed = (method: string, path: string): Operation => ({
  name: `${method} ${path}`,
  ...{ method, path, steps: path.split("/"), schemas: {} },
  surface: surfaceOf(path),
  ...{ permission: "public", body: null, answers: null },
  parameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => {
    return { name, in: "path", required: true, schema: { type: "string" } };
  }),
});

const aliasOf = (path: string): string => aliasBase + path.slice(operatorBase.length);
const hasAlias = (path: string): boolean => path.startsWith(`${operatorBase}/`);

/** What is attacked. */
export class Targets {
  /** By the names of routes, `GET /v1/users/{id}` of the alias too. */
  readonly #byName = new Map<string, Operation>();
  readonly #bySteps = new Map<string, Operation[]>();

  private constructor(
    readonly described: readonly Operation[],
    readonly pages: readonly Operation[],
  ) {
    for (const operation of [...described, ...pages]) {
      this.#add(operation.path, operation);
      if (operation.answers !== null && hasAlias(operation.path)) {
        this.#add(aliasOf(operation.path), operation);
      }
    }
  }

  /** Reads the documents over `get`, and what else is mounted from `app`. */
  static async of(app: Elysia, get: (path: string) => Promise<unknown>): Promise<Targets> {
    const described: Operation[] = [];
    for (const namespace of namespaces) {
      const document = (await get(`/api/v1/${namespace}/openapi.json`)) as Document;
      const { schemas = {} } = document.components;
      for (const [path, item] of Object.entries(document.paths)) {
        for (const [method, raw] of Object.entries(item)) {
          described.push(operationOf(path, method.toUpperCase(), raw, schemas));
        }
      }
    }
    const known = new Targets(described, []);
    const pages = routesOf(app).filter((name) => !known.names.includes(name));
    const made = pages.map((name) => undescribed(...(name.split(" ") as [string, string])));
    return new Targets(described, made);
  }

  #add(path: string, operation: Operation): void {
    this.#byName.set(`${operation.method} ${path}`, operation);
    const steps = path.split("/").length;
    const key = `${operation.method} ${steps}`;
    this.#bySteps.set(key, [...(this.#bySteps.get(key) ?? []), operation]);
  }

  get names(): string[] {
    return [...this.#byName.keys()];
  }

  /** The operation that a raw path, without query, is for. */
  find(method: string, path: string): { operation: Operation; name: string } | undefined {
    const isAlias = path.startsWith(`${aliasBase}/`);
    const canonical = isAlias ? operatorBase + path.slice(aliasBase.length) : path;
    const steps = canonical.split("/");
    const sought = path.split("/").length;
    for (const operation of this.#bySteps.get(`${method} ${sought}`) ?? []) {
      if (isAlias && operation.answers === null && fits(operation.steps, path.split("/"))) {
        return { operation, name: operation.name };
      }
      if (!fits(operation.steps, steps)) continue;
      const name = isAlias ? `${method} ${aliasOf(operation.path)}` : operation.name;
      return { operation, name };
    }
    // Elsewhere than on the device surface HEAD is answered as GET is.
    if (method !== "HEAD" || surfaceOf(path) === "device") return undefined;
    return this.find("GET", path);
  }

  /** Whether some method has the path. */
  has(path: string): boolean {
    return ["GET", "POST", "PATCH", "DELETE"].some((each) => this.find(each, path) !== undefined);
  }
}

const fits = (pattern: readonly string[], steps: readonly string[]): boolean =>
  pattern.length === steps.length &&
  pattern.every((part, at) => (part.startsWith("{") ? steps[at] !== "" : part === steps[at]));

/** Every route that a server has mounted, named as the documents name them. */
export const routesOf = ({ routes }: Elysia): string[] =>
  routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
