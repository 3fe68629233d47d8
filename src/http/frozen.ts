/**
 * The frozen documents of deprecated versions: YAML, or a page that shows it to whoever would rather read
 * HTML. They never change. Who may see them is as with all documents; freezing is not here.
 */
import type { Elysia } from "elysia";
import { Refused } from "../domain/refused.ts";
import { pathOf } from "./context.ts";
import { assetsPath, pageResponse } from "./html.ts";
import { type PagesDeps, serveGuarded, type Visit } from "./pages.ts";
import { errorResponse } from "./problem.ts";

export interface FrozenDeps {
  /** Numbers of the versions there are. */
  readonly numbers: readonly number[];
  /** The document of a version as YAML; null for one that was never deprecated. */
  readonly document: (version: number) => Promise<string | null>;
}

const forEver = "public, max-age=31536000, immutable";

/** Mounts `/api-docs/v{N}` for each version. */
export function mountFrozen(app: Elysia, deps: PagesDeps, { numbers, document }: FrozenDeps): void {
  for (const version of numbers) {
    const path = `/api-docs/v${version}`;
    const show = async (visit: Visit): Promise<Response> => {
      const yaml = await document(version);
      if (yaml === null) return notThere(deps, visit);
      const headers = { ...visit.headers, "cache-control": forEver, vary: "Accept" };
      return prefersHtml(visit.request.headers.get("accept") ?? "")
        ? frozenPage(version, path, headers)
        : new Response(yaml, { headers: { ...headers, "content-type": "application/yaml" } });
    };
    app.get(path, ({ request }) => serveGuarded(deps, request, show), { parse: "none" });
  }
}

function notThere(deps: PagesDeps, { request, requestId, traceId, headers }: Visit): Response {
  const path = pathOf(request.url);
  const context = { requestId, traceId, path, problemBase: deps.problemBase };
  return errorResponse(new Refused("not_found"), context, headers);
}

const frozenPage = (version: number, path: string, headers: Record<string, string>): Response =>
  pageResponse(
    `Kartu API, version ${version}`,
    `<link rel="stylesheet" href="${assetsPath}/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="${assetsPath}/swagger-ui-bundle.js"></script>
<script src="${assetsPath}/start-swagger.js" data-document="${path}"></script>
</body>`,
    headers,
  );

/** Whether an `Accept` header (RFC 9110 §12.5.1) rates HTML above YAML. */
export function prefersHtml(accept: string): boolean {
  const ranges = accept.split(",").map((part) => {
    const [range = "", ...parameters] = part.split(";").map((word) => word.trim().toLowerCase());
    const weight = parameters.find((word) => word.startsWith("q="))?.slice(2) ?? "1";
    return { range, q: Number.parseFloat(weight) || 0 };
  });
  const rate = (type: string, subtype: string): { q: number; isNamed: boolean } => {
    for (const range of [`${type}/${subtype}`, `${type}/*`, "*/*"]) {
      const found = ranges.find((each) => each.range === range);
      if (found !== undefined) return { q: found.q, isNamed: range === `${type}/${subtype}` };
    }
    return { q: 0, isNamed: false };
  };
  const [html, yaml] = [rate("text", "html"), rate("application", "yaml")];
  return html.q > yaml.q || (html.q === yaml.q && html.q > 0 && html.isNamed && !yaml.isNamed);
}
