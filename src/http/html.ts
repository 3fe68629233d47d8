/**
 * Pages of our own as HTML: their frame, their policy, a list of addresses. What they say is handed in;
 * nothing of it becomes markup.
 */

/** Where scripts and styles of the pages are served. */
export const assetsPath = "/api-docs/assets";

/** An address and what is behind it. */
export interface StartLink {
  readonly href: string;
  readonly title: string;
  readonly summary: string;
}

/** Everything from this server alone; nothing may frame it. Styles: see `pageResponse`. */
const policy = (styles: string): string =>
  `default-src 'none'; script-src 'self'; style-src ${styles}; img-src 'self' data:; ` +
  "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

/** A page of our own. @param styles what its policy lets through. */
export function pageResponse(
  title: string,
  body: string,
  headers: Readonly<Record<string, string>>,
  styles = "'self'",
): Response {
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
      ...headers,
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy(styles),
    },
  });
}

/** A title, a sentence, and addresses with what is behind each. */
export const listing = (
  title: string,
  lead: string,
  entries: readonly StartLink[],
): string => `</head>
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
