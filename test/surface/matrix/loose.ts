/**
 * What is no credential, what is one for something else, and what is one and carried where none belongs.
 */
import { type Grounds, venueOf } from "./grounds.ts";
import { bearing, type Stranger } from "./stranger.ts";

/** Whoever never had anything that opens a door, or does not show it as they should. */
export async function loose(grounds: Grounds): Promise<Stranger[]> {
  const { estate, mine } = grounds;
  const device = (await venueOf(mine).working("station")).token;
  const user = await estate.root.token(["admin"]);
  return [
    { name: "none", answers: "401 unauthorized" },
    ...malformed("a person", user),
    ...malformed("a device", device),
    ...misplaced("a person", user),
    ...misplaced("a device", device),
    ...wire(user, device),
    ...(await others(grounds)),
  ];
}

const unauthorized = "401 unauthorized" as const;

/** Headers that are not `Bearer <token>` of ours. */
function malformed(whose: string, token: string): Stranger[] {
  const headers: Readonly<Record<string, string>> = {
    "an empty header": "",
    "a scheme alone": "Bearer",
    "an empty token": "Bearer ",
    "no scheme": token,
    "another scheme": `Token ${token}`,
    "Basic with the token as password": `Basic ${btoa(`token:${token}`)}`,
    "no space": `Bearer${token}`,
    "a colon": `Bearer: ${token}`,
    "a tab": `Bearer\t${token}`,
    quoted: `Bearer "${token}"`,
    twice: `Bearer ${token} ${token}`,
    "a list": `Bearer ${token}, Bearer ${token}`,
    "a letter more": `Bearer ${token}x`,
    "a letter before": `Bearer x${token}`,
    "a letter less": `Bearer ${token.slice(0, -1)}`,
    "upper case": `Bearer ${token.toUpperCase()}`,
    percent: `Bearer ${encodeURIComponent(`${token} `)}`,
    "its hash": `Bearer ${Bun.SHA256.hash(token, "hex")}`,
  };
  return Object.entries(headers).map(([name, authorization]) => ({
    name: `${whose}'s, ${name}`,
    answers: unauthorized,
    headers: { authorization },
  }));
}

/** A good token where none is looked for. */
function misplaced(whose: string, token: string): Stranger[] {
  const bearer = `Bearer ${token}`;
  const cookie = `kartu_rt=${token}; token=${token}; access_token=${token}; Authorization=${bearer}`;
  const queries = ["access_token", "token", "ticket", "authorization"].map((name) => ({
    name: `${whose}'s, in the query as ${name}`,
    query: `?${new URLSearchParams({ [name]: token })}`,
  }));
  const headers = ["proxy-authorization", "x-authorization", "x-access-token", "x-api-key"];
  const rows: Omit<Stranger, "answers">[] = [
    ...queries,
    { name: `${whose}'s, in a cookie`, headers: { cookie } },
    {
      name: `${whose}'s, in the body`,
      body: { access_token: token, token, Authorization: bearer },
    },
    ...headers.map((name) => ({ name: `${whose}'s, in ${name}`, headers: { [name]: bearer } })),
  ];
  return rows.map((row) => ({ ...row, answers: unauthorized }));
}

/** What no client library would send. */
function wire(user: string, device: string): Stranger[] {
  const both = (first: string, second: string) => [
    `Authorization: Bearer ${first}`,
    `Authorization: Bearer ${second}`,
  ];
  return [
    { name: "two headers, a person's twice", lines: both(user, user) },
    { name: "two headers, a device's twice", lines: both(device, device) },
    { name: "two headers, a person's last", lines: both("x", user) },
    { name: "two headers, a person's first", lines: both(user, "x") },
    { name: "two headers, a device's last", lines: both("x", device) },
    { name: "two headers, a device's first", lines: both(device, "x") },
    { name: "bytes that are no ASCII", lines: [`Authorization: Bearer \u00e9${user}`] },
    { name: "a token of 9 KB", headers: { authorization: `Bearer ${"A".repeat(9_000)}` } },
    {
      name: "a person's with 9 KB more",
      headers: { authorization: `Bearer ${user}${"A".repeat(9_000)}` },
    },
    {
      name: "a token of 100 KiB",
      answers: "431",
      lines: [`Authorization: Bearer ${"A".repeat(102_400)}`],
    },
  ].map((row): Stranger => ({ answers: unauthorized, ...row }) as Stranger);
}

/** Secrets of every other kind, each good for what it is. */
async function others({ estate, mine }: Grounds): Promise<Stranger[]> {
  const person = await mine.person();
  const { accessToken: token, refreshToken } = await mine.pairOf(person);
  const { ticket } = await estate.ok<{ ticket: string }>("POST", "/auth/stream-ticket", { token });
  const { key } = await mine.apiKey();
  const { id, clientSecret } = await mine.client();
  const request = await mine.consent(id, "openid");
  const { code = "", ...form } = await mine.codeForm();
  const tokens = await estate.ok<Record<string, string>>("POST", "/oauth/token", {
    form: await mine.codeForm(),
  });
  await estate.ok("POST", "/auth/request-reset", { body: { email: person.email } });
  const reset = await estate.linkTo(person.email, "pr_");
  await estate.ok("POST", "/auth/request-verify-email", { token });
  const verify = await estate.linkTo(person.email, "ev_");
  const guest = await mine.invitation();
  const draft = { deviceId: mine.name("gate"), role: "gate" };
  const { secret } = await mine.made<{ secret: string }>("/fleet/devices", draft);
  const secrets: Readonly<Record<string, string | undefined>> = {
    "a refresh token": refreshToken,
    "an application's refresh token": tokens.refresh_token,
    "an id token": tokens.id_token,
    "an API key": key,
    "a stream ticket": ticket,
    "an application's secret": clientSecret,
    "an application's id": form.client_id,
    "a code": code,
    "a consent request": request,
    "a reset link": reset,
    "a verification link": verify,
    "an invitation": await estate.linkTo(guest.email, "in_"),
    "a device's secret": secret,
    "a tenant choice": `st_${"A".repeat(43)}`,
    "a device token nobody has": `kt_${"A".repeat(43)}`,
    "the tenant's id": mine.id,
    "the owner's id": mine.ownerId,
  };
  return Object.entries(secrets).map(([name, text]) => bearing(name, text ?? "missing"));
}
