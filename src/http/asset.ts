/**
 * What the pages of the documents load: scripts and styles out of the binary, and the few lines that
 * start them. Nothing here makes a browser ask any other machine.
 */
import redocJs from "redoc/bundles/redoc.standalone.js" with { type: "file" };
import favicon from "swagger-ui-dist/favicon-32x32.png" with { type: "file" };
import swaggerCss from "swagger-ui-dist/swagger-ui.css" with { type: "file" };
import swaggerJs from "swagger-ui-dist/swagger-ui-bundle.js" with { type: "file" };

export interface Asset {
  readonly type: string;
  read(): Promise<Uint8Array | string>;
}

const script = "text/javascript; charset=utf-8";
const style = "text/css; charset=utf-8";

const fileAsset = (type: string, path: string): Asset => ({
  type,
  read: () => Bun.file(path).bytes(),
});
const textAsset = (type: string, text: string): Asset => ({ type, read: async () => text });

/** Redoc's page footer shows a picture from its makers' network; this one is empty and in place. */
const redocLogo = "https://cdn.redoc.ly/redoc/logo-mini.svg";
const noPicture = "data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22/%3E";

/** The address of the document stands on the script element, so that one script serves every page. */
const startSwagger = `
SwaggerUIBundle({
  url: document.currentScript.dataset.document,
  dom_id: "#page",
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  queryConfigEnabled: false,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
});
`;

/** Search runs in a worker made from a blob, which our policy does not allow. */
const startRedoc = `
Redoc.init(
  document.currentScript.dataset.document,
  {
    disableSearch: true,
    hideLoading: true,
    expandResponses: "200,201",
    theme: {
      typography: {
        fontFamily: "system-ui, sans-serif",
        headings: { fontFamily: "system-ui, sans-serif" },
        code: { fontFamily: "ui-monospace, monospace" },
      },
    },
  },
  document.getElementById("page"),
);
`;

const pageCss = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --line: #dde2e9; --paper: #fff; --link: #0b63ce; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7ebf0; --soft: #9aa5b4; --line: #323a46; --paper: #14181e; --link: #7db4ff; }
}
body { margin: 0; }
main { font-family: system-ui, sans-serif; line-height: 1.5; max-width: 46rem; margin: 0 auto; padding: 4rem 1.5rem; color: var(--ink); }
body:has(main) { background: var(--paper); }
main h1 { font-size: 2.25rem; letter-spacing: -0.02em; margin: 0; }
main > p { color: var(--soft); font-size: 1.125rem; margin: 0.25rem 0 2.5rem; }
main dl { border-top: 1px solid var(--line); margin: 0; }
main dt { font-weight: 600; margin-top: 1rem; }
main dd { color: var(--soft); margin: 0; padding-bottom: 1rem; border-bottom: 1px solid var(--line); }
main a { color: var(--link); text-decoration: none; }
main a:hover { text-decoration: underline; }
`;

export const assets: ReadonlyMap<string, Asset> = new Map([
  ["swagger-ui-bundle.js", fileAsset(script, swaggerJs)],
  ["swagger-ui.css", fileAsset(style, swaggerCss)],
  ["favicon.png", fileAsset("image/png", favicon)],
  ["start-swagger.js", textAsset(script, startSwagger)],
  [
    "redoc.standalone.js",
    {
      type: script,
      read: async () => (await Bun.file(redocJs).text()).replaceAll(redocLogo, noPicture),
    },
  ],
  ["start-redoc.js", textAsset(script, startRedoc)],
  ["page.css", textAsset(style, pageCss)],
]);
