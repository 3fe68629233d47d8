/**
 * The pages that mailed links lead to: confirming an address, setting a password, accepting an
 * invitation. Each is one document without any other file, the same for everybody: its script reads the
 * token out of the address, and calls this server as any client does. Opening one changes nothing.
 */
import { commonHeaders } from "../context.ts";

export type LinkPage = "verify" | "reset" | "invite";

interface Words {
  readonly title: string;
  readonly lead: string;
  readonly deed: string;
  readonly done: string;
  /** What is called, below `/api/v1`. */
  readonly path: string;
  readonly hasName: boolean;
  /** How a password is asked for; absent: it is not. */
  readonly password?: { readonly label: string; readonly complete: string };
}

const pages: Readonly<Record<LinkPage, Words>> = {
  verify: {
    title: "Confirm your address",
    lead: "Confirm that the address this link was mailed to is yours.",
    deed: "Confirm",
    done: "Your address is confirmed. You can close this page.",
    path: "/auth/verify-email",
    hasName: false,
  },
  reset: {
    title: "Set a new password",
    lead: "12 to 128 characters. You are signed out everywhere.",
    deed: "Set the password",
    done: "Your password is set. You can sign in with it now.",
    path: "/auth/reset-password",
    hasName: false,
    password: { label: "New password", complete: "new-password" },
  },
  invite: {
    title: "Accept the invitation",
    lead: "If you have an account here, give its password. If not, choose one of 12 to 128 characters.",
    deed: "Accept",
    done: "You have joined. You can sign in now.",
    path: "/auth/accept-invite",
    hasName: true,
    password: { label: "Password", complete: "current-password" },
  },
};

const style = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --line: #cfd6df; --paper: #fff; --ground: #f3f5f8; --deed: #0b63ce; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7ebf0; --soft: #9aa5b4; --line: #3c4552; --paper: #1b2027; --ground: #14181e; --deed: #7db4ff; --bad: #ff8a80; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { width: min(26rem, 100vw); padding: 2rem; background: var(--paper); border: 1px solid var(--line); border-radius: 0.75rem; }
h1 { font-size: 1.375rem; line-height: 1.25; margin: 0 0 1rem; }
p { margin: 0 0 1rem; color: var(--soft); }
label { display: block; font-weight: 600; margin-bottom: 1rem; }
input { display: block; width: 100%; margin-top: 0.25rem; padding: 0.625rem; font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 0.375rem; }
button { display: block; width: 100%; padding: 0.625rem; font: inherit; font-weight: 600; cursor: pointer; border-radius: 0.375rem; border: 1px solid var(--deed); background: var(--deed); color: var(--paper); }
button:disabled { opacity: 0.6; cursor: wait; }
[role=alert] { color: var(--bad); font-weight: 600; }
[hidden] { display: none !important; }
`;

/** The token leaves the address at once, so that neither history nor a copied link keeps it. */
const script = `
const at = (id) => document.getElementById(id);
const token = new URLSearchParams(location.search).get("token") || "";
history.replaceState(null, "", location.pathname);
const form = at("form");

function complain(text) {
  at("complaint").textContent = text;
  at("complaint").hidden = text === "";
}

async function send() {
  const body = { token };
  if (at("password")) body.password = at("password").value;
  if (at("name") && at("name").value.trim() !== "") body.name = at("name").value.trim();
  const headers = { "content-type": "application/json" };
  const answer = await fetch("api/v1" + form.dataset.path, { method: "POST", headers, body: JSON.stringify(body) });
  if (answer.ok) return;
  const problem = await answer.json();
  const faults = (problem.errors || []).map((fault) => fault.field + ": " + fault.message);
  throw new Error(faults.length > 0 ? faults.join(". ") : problem.detail);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  complain("");
  button.disabled = true;
  try {
    await send();
    form.hidden = true;
    at("done").hidden = false;
  } catch (error) {
    complain(error.message || "The server could not be reached.");
  } finally {
    button.disabled = false;
  }
});
if (token === "") complain("This link is not whole: open it as it was mailed.");
`;

const hashOf = (text: string): string =>
  `'sha256-${new Bun.CryptoHasher("sha256").update(text).digest("base64")}'`;

const policy =
  `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; connect-src 'self'; ` +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const htmlOf = ({ title, lead, deed, done, path, hasName, password }: Words): string =>
  `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Kartu</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<noscript><p>This page needs JavaScript.</p></noscript>
<p id="complaint" role="alert" hidden></p>
<p id="done" role="status" hidden>${done}</p>
<form id="form" data-path="${path}">
<p>${lead}</p>
${hasName ? '<label>Your name, if you are new <input id="name" autocomplete="name" maxlength="100"></label>' : ""}
${password === undefined ? "" : `<label>${password.label} <input id="password" type="password" autocomplete="${password.complete}" maxlength="128" required></label>`}
<button>${deed}</button>
</form>
</main>
<script>${script}</script>
</body>
</html>
`;

export function linkPageResponse(page: LinkPage, requestId: string): Response {
  return new Response(htmlOf(pages[page]), {
    headers: {
      ...commonHeaders(requestId),
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
    },
  });
}
