/**
 * The documents and the pages that show them: `/`, `/api-docs`, Swagger UI and Redoc for each document.
 * Who may see them is a predicate handed in; what they say is `openapi.ts`.
 */
import type { Elysia } from "elysia";
import { Refused } from "../domain/refused.ts";
import { type Asset, assets } from "./asset.ts";
import { requestIdOf } from "./context.ts";
import { etagOf, isNoneMatch } from "./etag.ts";
import type { FallbackDeps } from "./mount.ts";
import { commonHeaders, errorResponse, pathOf } from "./problem.ts";

/** One namespace's document. */
export interface DocumentPage {
  /** As in the address: `terminal`. */
  readonly namespace: string;
  readonly title: string;
  /** One sentence for the index. */
  readonly summary: string;
  /** The OpenAPI document as JSON text. */
  readonly json: string;
}

/** A further address for the start page. */
export interface StartLink {
  readonly href: string;
  readonly title: string;
  readonly summary: string;
}

export interface PagesDeps extends FallbackDeps {
  readonly product: string;
  /** One sentence below the name on the start page. */
  readonly lead: string;
  /** Whether the documents are shown to this caller: yes, only with a credential, or not at all. */
  readonly mayRead: (request: Request) => Promise<"yes" | "unauthorized" | "off">;
  readonly links: readonly StartLink[];
}

/** Everything from this server alone; nothing may frame it. Styles: see `pageResponse`. */
const policy = (styles: string): string =>
  `default-src 'none'; script-src 'self'; style-src ${styles}; img-src 'self' data:; ` +
  "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * Redoc puts its rules into style elements by script. Allowed by hash: the empty element (SHA-256 of
 * nothing), and its one fixed text.
 */
const redocStyles =
  "'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' " +
  "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='";

const assetsPath = "/api-docs/assets";
const documentPath = (namespace: string): string => `/api/v1/${namespace}/openapi.json`;

type Handler = (requestId: string, request: Request) => Promise<Response> | Response;

/** Mounts the documents, their pages, and what the pages load. */
export function mountPages(app: Elysia, deps: PagesDeps, documents: readonly DocumentPage[]): void {
  const guarded = (path: string, handle: Handler): void => {
    app.get(path, ({ request }) => serveGuarded(deps, request, handle), { parse: "none" });
  };
  app.get("/", ({ request }) => startPage(deps, documents, request), { parse: "none" });
  guarded("/api-docs", (requestId) => indexPage(deps, documents, requestId));
  for (const document of documents) {
    const { namespace } = document;
    const tag = etagOf(document.json);
    guarded(documentPath(namespace), (requestId, request) =>
      documentResponse(document.json, tag, requestId, request),
    );
    guarded(`/api-docs/${namespace}`, (requestId) => swaggerPage(document, requestId));
    guarded(`/api-docs/${namespace}/redoc`, (requestId) => redocPage(document, requestId));
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

async function serveGuarded(deps: PagesDeps, request: Request, handle: Handler): Promise<Response> {
  const requestId = requestIdOf(request, deps.newRequestId);
  const may = await deps.mayRead(request);
  if (may === "yes") return handle(requestId, request);
  const refused = new Refused(may === "off" ? "not_found" : "invalid_token");
  const path = pathOf(request.url);
  return errorResponse(refused, { requestId, path, problemBase: deps.problemBase });
}

function documentResponse(
  json: string,
  tag: string,
  requestId: string,
  request: Request,
): Response {
  const headers = { ...commonHeaders(requestId), "cache-control": "no-cache", etag: tag };
  if (isNoneMatch(request.headers.get("if-none-match"), tag)) {
    return new Response(null, { status: 304, headers });
  }
  return new Response(json, { headers: { ...headers, "content-type": "application/json" } });
}

/** Assets tell nothing of this server, so they need no credential; they change with the binary. */
async function serveAsset(
  deps: PagesDeps,
  tags: Map<string, string>,
  name: string,
  asset: Asset,
  request: Request,
): Promise<Response> {
  const requestId = requestIdOf(request, deps.newRequestId);
  const bytes = await asset.read();
  const tag = tags.get(name) ?? etagOf(bytes);
  tags.set(name, tag);
  const headers = { ...commonHeaders(requestId), "cache-control": "no-cache", etag: tag };
  if (isNoneMatch(request.headers.get("if-none-match"), tag)) {
    return new Response(null, { status: 304, headers });
  }
  return new Response(bytes, { headers: { ...headers, "content-type": asset.type } });
}

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

function pageResponse(title: string, body: string, requestId: string, styles = "'self'"): Response {
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="${assetsPath}/favicon.png">
<link rel="stylesheet" href="${assetsPath}/page.css">
${body}
</html>
`;
  return new Response(html, {
    headers: {
      ...commonHeaders(requestId),
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy(styles),
      "referrer-policy": "no-referrer",
    },
  });
}

const listing = (title: string, lead: string, entries: readonly StartLink[]): string => `</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(lead)}</p>
<dl>
${entries
  .map(
    ({ href, title: name, summary }) =>
      `<dt><a href="${escapeHtml(href)}">${escapeHtml(name)}</a></dt>\n<dd>${escapeHtml(summary)}</dd>`,
  )
  .join("\n")}
</dl>
</main>
</body>`;

/** The start page names the documents only to whom they are shown. */
async function startPage(
  deps: PagesDeps,
  documents: readonly DocumentPage[],
  request: Request,
): Promise<Response> {
  const { product, lead, links } = deps;
  const shown = (await deps.mayRead(request)) === "yes" ? documents.flatMap(entriesOf) : [];
  const body = listing(product, lead, [...shown, ...links]);
  return pageResponse(product, body, requestIdOf(request, deps.newRequestId));
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
  requestId: string,
): Response => {
  const title = `${product}: documents`;
  const lead = "Everything comes from this server; nothing is loaded from elsewhere.";
  return pageResponse(title, listing(title, lead, documents.flatMap(entriesOf)), requestId);
};

const scripts = (namespace: string, names: readonly string[]): string =>
  names
    .map(
      (name) =>
        `<script src="${assetsPath}/${name}" data-document="${documentPath(namespace)}"></script>`,
    )
    .join("\n");

const swaggerPage = ({ namespace, title }: DocumentPage, requestId: string): Response =>
  pageResponse(
    title,
    `<link rel="stylesheet" href="${assetsPath}/swagger-ui.css">
</head>
<body>
<div id="page"></div>
${scripts(namespace, ["swagger-ui-bundle.js", "start-swagger.js"])}
</body>`,
    requestId,
  );

const redocPage = ({ namespace, title }: DocumentPage, requestId: string): Response =>
  pageResponse(
    title,
    `</head>
<body>
<div id="page"></div>
${scripts(namespace, ["redoc.standalone.js", "start-redoc.js"])}
</body>`,
    requestId,
    redocStyles,
  );
