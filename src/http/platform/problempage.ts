/**
 * The readable page behind each problem's `type`, and the list of them all. Public: a problem may reach
 * whoever has no token.
 */
import type { Elysia } from "elysia";
import { isProblemSlug, type ProblemSlug, problems } from "../../../schema/problem.ts";
import { Problem } from "../../domain/problem.ts";
import { commonHeaders, pathOf, requestIdOf } from "../context.ts";
import { escapeHtml, listing, pageResponse } from "../html.ts";
import type { FallbackDeps } from "../mount.ts";
import { problemResponse, titleOf } from "./problem.ts";
import { readTrace } from "./trace.ts";

const root = "/problems";

/** What to do about a problem, by the words of its row's `retry`, which may be several. */
const advice: Readonly<Record<string, string>> = {
  no: "The same request fails again until something else changes.",
  wait: "Wait as long as the Retry-After header says, then send the same request again.",
  key: "Send the same request again with the same Idempotency-Key: it is done once at most.",
  refresh: "Refresh the access token, or ask for a new link, then send the request again.",
  "sign in": "Sign in again.",
  "with code": "Send the request again with the code of the second factor.",
  "after reading": "Read the resource again, then send the change with its current version.",
  later: "Send the same request again later.",
  "after upload": "Upload the bytes, then send the same request again.",
  "as that status": "As the status says.",
  backoff: "Send the same request again, waiting longer each time.",
};

const adviceOf = (retry: string): string =>
  retry
    .split(", ")
    .map((word) => advice[word] ?? word)
    .join(" ");

const rowOf = (slug: ProblemSlug) => {
  const { status, when, retry } = problems[slug];
  return { slug, title: titleOf(slug), status, when, retry };
};

/** Whether a caller would rather have JSON than a page: it names JSON and not HTML before it. */
function wantsJson(request: Request): boolean {
  const accept = request.headers.get("accept") ?? "";
  const json = accept.search(/application\/(?:problem\+)?json/i);
  const html = accept.search(/text\/html/i);
  return json >= 0 && (html < 0 || json < html);
}

type Headers = Readonly<Record<string, string>>;

const jsonResponse = (value: unknown, headers: Headers): Response =>
  new Response(JSON.stringify(value), {
    headers: { ...headers, "content-type": "application/json" },
  });

function list(request: Request, headers: Headers): Response {
  const rows = Object.keys(problems).filter(isProblemSlug).map(rowOf);
  if (wantsJson(request)) return jsonResponse({ data: rows }, headers);
  const title = "Problems";
  const lead = "What an answer with a status of 400 or more can be, by the last part of its type.";
  const entries = rows.map(({ slug, title: name, status, when }) => ({
    href: `${root}/${slug}`,
    title: `${status} ${name}`,
    summary: when,
  }));
  return pageResponse(title, listing(title, lead, entries), headers);
}

function page(slug: ProblemSlug, request: Request, headers: Headers): Response {
  const row = rowOf(slug);
  if (wantsJson(request)) return jsonResponse(row, headers);
  const body = `</head>
<body>
<main>
<h1>${escapeHtml(row.title)}</h1>
<p>${escapeHtml(`${row.when.charAt(0).toUpperCase()}${row.when.slice(1)}.`)}</p>
<dl>
<dt>Type ends in</dt>
<dd><code>${escapeHtml(slug)}</code></dd>
<dt>Status</dt>
<dd>${row.status}</dd>
<dt>What to do</dt>
<dd>${escapeHtml(adviceOf(row.retry))}</dd>
</dl>
<p><a href="${root}">All problems</a></p>
</main>
</body>`;
  return pageResponse(row.title, body, headers);
}

/** Mounts the pages. */
export function mountProblems(app: Elysia, deps: FallbackDeps): void {
  const headersOf = (request: Request): Record<string, string> => ({
    ...commonHeaders(requestIdOf(request, deps.newRequestId)),
    "x-trace-id": readTrace(request.headers.get("traceparent")).traceId,
    vary: "Accept",
    "cache-control": "public, max-age=300",
  });
  app.get(root, ({ request }) => list(request, headersOf(request)), { parse: "none" });
  app.get(
    `${root}/:slug`,
    ({ request, params: { slug } }) => {
      const headers = headersOf(request);
      if (isProblemSlug(slug)) return page(slug, request, headers);
      return problemResponse(new Problem("not-found"), {
        requestId: headers["x-request-id"] ?? "",
        traceId: headers["x-trace-id"] ?? "",
        path: pathOf(request.url),
        problemBase: deps.problemBase,
      });
    },
    { parse: "none" },
  );
}
