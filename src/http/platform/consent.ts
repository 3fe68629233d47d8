/**
 * The page on which a person signs in for an application and allows or denies it. One document without
 * any other file; its script and style are allowed by their hashes alone, and no other site may frame it.
 * The page calls this server as any client does: it has no rights of its own.
 */
import { commonHeaders } from "../context.ts";

export interface ConsentPage {
  readonly requestId: string;
  readonly clientName: string;
  /** One line for each thing that is asked for. */
  readonly lines: readonly string[];
  /** Where whoever does not want to sign in goes. */
  readonly cancelTo: string;
  /** What calls start with: `/api/v1` or `/v1`. */
  readonly base: string;
}

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
ul { margin: 0 0 1.5rem; padding-left: 1.25rem; }
button, .cancel { display: block; width: 100%; padding: 0.625rem; margin-bottom: 0.5rem; font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer; border-radius: 0.375rem; border: 1px solid var(--line); background: transparent; color: inherit; }
button.deed { background: var(--deed); border-color: var(--deed); color: var(--paper); }
button:disabled { opacity: 0.6; cursor: wait; }
[role=alert] { color: var(--bad); font-weight: 600; }
[hidden] { display: none !important; }
`;

/** Everything is written as text, so that nothing that was sent becomes markup. */
const script = `
const asked = JSON.parse(document.getElementById("asked").textContent);
const at = (id) => document.getElementById(id);
const steps = ["sign-in", "second-factor", "organisation", "consent"];
let credentials;
let token;

function show(step) {
  for (const each of steps) at(each).hidden = each !== step;
  const first = at(step).querySelector("input, button");
  if (first) first.focus();
}

function complain(text) {
  at("complaint").textContent = text;
  at("complaint").hidden = text === "";
}

async function call(path, body) {
  const headers = { "content-type": "application/json" };
  if (token) headers.authorization = "Bearer " + token;
  const answer = await fetch(asked.base + path, { method: "POST", headers, body: JSON.stringify(body) });
  const json = answer.status === 204 ? null : await answer.json();
  if (answer.ok) return json;
  throw Object.assign(new Error(json.detail), { slug: json.type.split("/").pop() });
}

async function doing(work) {
  const buttons = [...document.querySelectorAll("button")];
  complain("");
  for (const button of buttons) button.disabled = true;
  try {
    await work();
  } catch (error) {
    complain(error.message || "The server could not be reached.");
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

async function signIn(more) {
  try {
    await enter(await call("/auth/login", { ...credentials, ...more }));
  } catch (error) {
    if (error.slug !== "mfa-required") throw error;
    show("second-factor");
  }
}

async function enter(answer) {
  if (!answer.requiresTenantSelection) return consent(answer);
  const list = at("organisations");
  list.replaceChildren();
  for (const { id, name } of answer.tenants) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", () => doing(async () => {
      consent(await call("/auth/select-tenant", { sessionToken: answer.sessionToken, tenantId: id }));
    }));
    list.append(button);
  }
  show("organisation");
}

function consent(pair) {
  token = pair.accessToken;
  credentials = undefined;
  at("person").textContent = pair.user.email;
  show("consent");
}

async function answer(deed) {
  const { redirectTo } = await call("/oauth/requests/" + asked.requestId + "/" + deed, {});
  // This page's own session has served; the application gets one of its own.
  await call("/auth/logout", {}).catch(() => undefined);
  location.replace(redirectTo);
}

at("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  credentials = { email: at("email").value, password: at("password").value };
  doing(() => signIn({}));
});
at("second-factor").addEventListener("submit", (event) => {
  event.preventDefault();
  const code = at("code").value.trim();
  doing(() => signIn(/^[0-9]{6}$/.test(code) ? { mfaCode: code } : { recoveryCode: code }));
});
at("consent").addEventListener("submit", (event) => {
  event.preventDefault();
  doing(() => answer("approve"));
});
at("deny").addEventListener("click", () => doing(() => answer("deny")));
show("sign-in");
`;

const hashOf = (text: string): string =>
  `'sha256-${new Bun.CryptoHasher("sha256").update(text).digest("base64")}'`;

const policy =
  `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; connect-src 'self'; ` +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

/** JSON that can't end the element which it stands in. */
const jsonText = (value: unknown): string => JSON.stringify(value).replaceAll("<", "\\u003c");

export function consentResponse(page: ConsentPage, requestId: string): Response {
  return new Response(htmlOf(page), {
    headers: {
      ...commonHeaders(requestId),
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
    },
  });
}

function htmlOf({ requestId, clientName, lines, cancelTo, base }: ConsentPage): string {
  const name = escapeHtml(clientName);
  const list = lines.map((line) => `<li>${escapeHtml(line)}</li>`).join("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in · ${name}</title>
<style>${style}</style>
</head>
<body>
<main>
<noscript><p>This page needs JavaScript.</p></noscript>
<p id="complaint" role="alert" hidden></p>
<form id="sign-in" hidden>
<input type="hidden" name="requestId" value="${requestId}">
<h1>Sign in to go on to ${name}</h1>
<label>Email <input id="email" type="email" autocomplete="username" required></label>
<label>Password <input id="password" type="password" autocomplete="current-password" required></label>
<button class="deed">Sign in</button>
<a class="cancel" href="${escapeHtml(cancelTo)}">Cancel</a>
</form>
<form id="second-factor" hidden>
<h1>One more step</h1>
<p>Enter the code of your authenticator app, or a recovery code.</p>
<label>Code <input id="code" autocomplete="one-time-code" required></label>
<button class="deed">Go on</button>
<a class="cancel" href="${escapeHtml(cancelTo)}">Cancel</a>
</form>
<section id="organisation" hidden>
<h1>For which organisation?</h1>
<div id="organisations"></div>
<a class="cancel" href="${escapeHtml(cancelTo)}">Cancel</a>
</section>
<form id="consent" hidden>
<h1>Allow ${name}?</h1>
<p>You are signed in as <strong id="person"></strong>. ${name} asks to:</p>
<ul>
${list || "<li>Know that you are here</li>"}
</ul>
<button class="deed">Allow</button>
<button type="button" id="deny">Deny</button>
</form>
</main>
<script type="application/json" id="asked">${jsonText({ requestId, base })}</script>
<script>${script}</script>
</body>
</html>
`;
}
