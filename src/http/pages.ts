/**
 * The documents and the pages that show them: `/`, `/api-docs`, Swagger UI and Redoc for each document.
 * Who may see them is a predicate handed in; what they say is `openapi.ts`.
 */
import type { Elysia } from "elysia";
import { Refused } from "../domain/refused.ts";
import { type Asset, assets } from "./asset.ts";
import { commonHeaders, pathOf, requestIdOf } from "./context.ts";
import { etagOf, isNoneMatch } from "./etag.ts";
import { assetsPath, listing, pageResponse, type StartLink } from "./html.ts";
import type { FallbackDeps } from "./mount.ts";
import { readTrace } from "./platform/trace.ts";
import { errorResponse } from "./problem.ts";

/** One namespace's document. */
export interface DocumentPage {
  /** As in the address: `terminal`. */
  readonly namespace: string;
  readonly title: string;
  /** One sentence for the index. */
  readonly summary: string;
  /** The OpenAPI document as JSON text; made when it is first read, since it is long. */
  readonly json: string;
}

/** A page whose document is made when somebody asks for it. */
export function documentPage(
  about: Pick<DocumentPage, "namespace" | "title" | "summary">,
  make: () => unknown,
): DocumentPage {
  let json: string | undefined;
  return {
    ...about,
    get json() {
      json ??= JSON.stringify(make());
      return json;
    },
  };
}

export interface PagesDeps extends FallbackDeps {
  readonly product: string;
  /** One sentence below the name on the start page. */
  readonly lead: string;
  /** Whether the documents are shown to this caller: yes, only with a credential, or not at all. */
  readonly mayRead: (request: Request) => Promise<"yes" | "unauthorized" | "off">;
  readonly links: readonly StartLink[];
}

/**
 * Redoc puts its rules into style elements by script. Allowed by hash: the empty element (SHA-256 of
 * nothing), and its one fixed text.
 */
const redocStyles =
  "'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' " +
  "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='";

const documentPath = (namespace: string): string => `/api/v1/${namespace}/openapi.json`;
/** The base of the operator surface has an exact alias. */
const aliasPath = (namespace: string): string => `/v1/${namespace}/openapi.json`;

/** One look at a page. */
export interface Visit {
  readonly request: Request;
  readonly requestId: string;
  readonly traceId: string;
  /** What every answer carries. */
  readonly headers: Record<string, string>;
}

function visitOf(request: Request, deps: FallbackDeps): Visit {
  const requestId = requestIdOf(request, deps.newRequestId);
  const { traceId } = readTrace(request.headers.get("traceparent"));
  const outside = deps.outside?.(request, pathOf(request.url), null);
  const headers = { ...commonHeaders(requestId), "x-trace-id": traceId, ...outside };
  return { request, requestId, traceId, headers };
}

export type PageHandler = (visit: Visit) => Promise<Response> | Response;

/** Mounts the documents, their pages, and what the pages load. */
export function mountPages(app: Elysia, deps: PagesDeps, documents: readonly DocumentPage[]): void {
  const guarded = (path: string, handle: PageHandler): void => {
    app.get(path, ({ request }) => serveGuarded(deps, request, handle), { parse: "none" });
  };
  app.get("/", ({ request }) => startPage(deps, documents, request), { parse: "none" });
  guarded("/api-docs", (visit) => indexPage(deps, documents, visit));
  for (const document of documents) {
    const { namespace } = document;
    let tag: string | undefined;
    for (const path of [documentPath(namespace), aliasPath(namespace)]) {
      guarded(path, (visit) => {
        tag ??= etagOf(document.json);
        return documentResponse(document.json, tag, visit);
      });
    }
    guarded(`/api-docs/${namespace}`, (visit) => swaggerPage(document, visit));
    guarded(`/api-docs/${namespace}/redoc`, (visit) => redocPage(document, visit));
  }
  const tags = new Map<string, string>();
  for (const [name, asset] of assets) {
    app.get(
      `${assetsPath}/${name}`,
      ({ request }) => serveAsset(deps, tags, name, asset, request),
      { parse: "none" },
    );
  }
}

/** Shows a page to whom the documents are shown. */
export async function serveGuarded(
  deps: PagesDeps,
  request: Request,
  handle: PageHandler,
): Promise<Response> {
  const visit = visitOf(request, deps);
  const may = await deps.mayRead(request);
  if (may === "yes") return handle(visit);
  const { requestId, traceId, headers } = visit;
  const refused = new Refused(may === "off" ? "not_found" : "invalid_token");
  const context = { requestId, traceId, path: pathOf(request.url), problemBase: deps.problemBase };
  return errorResponse(refused, context, headers);
}

function documentResponse(json: string, tag: string, { request, headers }: Visit): Response {
  const tagged = { ...headers, "cache-control": "no-cache", etag: tag };
  if (isNoneMatch(request.headers.get("if-none-match"), tag)) {
    return new Response(null, { status: 304, headers: tagged });
  }
  return new Response(json, { headers: { ...tagged, "content-type": "application/json" } });
}

/** Assets tell nothing of this server, so they need no credential; they change with the binary. */
async function serveAsset(
  deps: PagesDeps,
  tags: Map<string, string>,
  name: string,
  asset: Asset,
  request: Request,
): Promise<Response> {
  const bytes = await asset.read();
  const tag = tags.get(name) ?? etagOf(bytes);
  tags.set(name, tag);
  const headers = { ...visitOf(request, deps).headers, "cache-control": "no-cache", etag: tag };
  if (isNoneMatch(request.headers.get("if-none-match"), tag)) {
    return new Response(null, { status: 304, headers });
  }
  return new Response(bytes, { headers: { ...headers, "content-type": asset.type } });
}

/** The start page names the documents only to whom they are shown. */
async function startPage(
  deps: PagesDeps,
  documents: readonly DocumentPage[],
  request: Request,
): Promise<Response> {
  const { product, lead, links } = deps;
  const shown = (await deps.mayRead(request)) === "yes" ? documents.flatMap(entriesOf) : [];
  const body = listing(product, lead, [...shown, ...links]);
  return pageResponse(product, body, visitOf(request, deps).headers);
}

const entriesOf = ({ namespace, title, summary }: DocumentPage): StartLink[] => [
  { href: `/api-docs/${namespace}`, title: `${title}: try it`, summary },
  {
    href: `/api-docs/${namespace}/redoc`,
    title: `${title}: read it`,
    summary: "Every call, field and refusal on one page.",
  },
  {
    href: documentPath(namespace),
    title: `${title}: OpenAPI 3.1`,
    summary: "The same as JSON, for client generators.",
  },
];

const indexPage = (
  { product }: PagesDeps,
  documents: readonly DocumentPage[],
  { headers }: Visit,
): Response => {
  const title = `${product}: documents`;
  const lead = "Everything comes from this server; nothing is loaded from elsewhere.";
  return pageResponse(title, listing(title, lead, documents.flatMap(entriesOf)), headers);
};

const scripts = (namespace: string, names: readonly string[]): string =>
  names
    .map(
      (name) =>
        `<script src="${assetsPath}/${name}" data-document="${documentPath(namespace)}"></script>`,
    )
    .join("\n");

const swaggerPage = ({ namespace, title }: DocumentPage, { headers }: Visit): Response =>
  pageResponse(
    title,
    `<link rel="stylesheet" href="${assetsPath}/swagger-ui.css">
</head>
<body>
<div id="page"></div>
${scripts(namespace, ["swagger-ui-bundle.js", "start-swagger.js"])}
</body>`,
    headers,
  );

const redocPage = ({ namespace, title }: DocumentPage, { headers }: Visit): Response =>
  pageResponse(
    title,
    `</head>
<body>
<div id="page"></div>
${scripts(namespace, ["redoc.standalone.js", "start-redoc.js"])}
</body>`,
    headers,
    redocStyles,
  );
