/** Whose token was good until it ended: people, machines, tenants, devices, each in every way there is. */
import type { House, Pair, Person } from "../house.ts";
import { password } from "../served.ts";
import { elsewhere, type Grounds, venueOf } from "./grounds.ts";
import { bearing, type Stranger } from "./stranger.ts";

export const ended = async (grounds: Grounds): Promise<Stranger[]> => [
  ...(await endedPeople(grounds.mine)),
  ...(await endedMachines(grounds)),
  ...(await endedTenants(grounds)),
  ...(await endedDevices(grounds)),
];

/** People whose token was good: how it ended, by name. */
async function endedPeople(mine: House): Promise<Stranger[]> {
  const { estate } = mine;
  const forget = (path: string, token: string, body: object = {}) =>
    estate.ok("POST", path, { token, body });
  const ends: Readonly<Record<string, (person: Person, pair: Pair) => Promise<unknown>>> = {
    "signed out": (_, { accessToken }) => forget("/auth/logout", accessToken),
    "signed out by the refresh token": async (person, { refreshToken }) =>
      forget("/auth/logout", await mine.tokenOf(person), { refreshToken }),
    "signed out everywhere": (_, { accessToken }) => forget("/auth/logout-all", accessToken),
    "whose session was ended from another": async (person, { accessToken }) => {
      const token = await mine.tokenOf(person);
      const { data } = await estate.ok<{ data: { id: string; current: boolean }[] }>(
        ...(["GET", "/auth/sessions", { token: accessToken }] as const),
      );
      const own = data.find(({ current }) => current)?.id ?? "";
      return estate.ok("DELETE", `/auth/sessions/${own}`, { token });
    },
    "who switched the tenant": (_, { accessToken, refreshToken }) =>
      forget("/auth/switch-tenant", accessToken, { tenantId: mine.id, refreshToken }),
    "whose password was changed": async (person) =>
      forget("/auth/change-password", await mine.tokenOf(person), {
        ...{ currentPassword: password, password: "another long password" },
      }),
    "whose password was reset": async ({ email }) => {
      await estate.ok("POST", "/auth/request-reset", { body: { email } });
      const token = await estate.linkTo(email, "pr_");
      return estate.ok("POST", "/auth/reset-password", { body: { token, password } });
    },
    "whose sessions the owner ended": ({ id }) => mine.made(`/users/${id}/revoke-sessions`),
    blocked: ({ id }) => mine.made(`/users/${id}/block`),
    "blocked and let in again": async ({ id }) => {
      await mine.made(`/users/${id}/block`);
      return mine.made(`/users/${id}/unblock`);
    },
    removed: ({ id }) => estate.ok("DELETE", `/users/${id}`, { token: mine.owner }),
    "removed and restored": async ({ id }) => {
      await estate.ok("DELETE", `/users/${id}`, { token: mine.owner });
      return mine.made(`/users/${id}/restore`);
    },
    "whose refresh token was used twice": async (_, { refreshToken }) => {
      const body = { refreshToken };
      await estate.ok("POST", "/auth/refresh", { body });
      estate.clock.advance(11);
      return estate.outcome("POST", "/auth/refresh", { body });
    },
  };
  const rows: Stranger[] = [];
  for (const [name, end] of Object.entries(ends)) {
    const person = await mine.person(["admin"]);
    const pair = await mine.pairOf(person);
    await letIn(mine, pair.accessToken);
    await end(person, pair);
    rows.push(bearing(`a person ${name}`, pair.accessToken, "401 token-revoked"));
  }
  return rows;
}

/** It was good before, or its end proves nothing. */
async function letIn({ estate }: House, token: string): Promise<void> {
  const answer = await estate.outcome("GET", "/auth/sessions", { token });
  if (answer !== "200") throw new Error(`not let in: ${answer}`);
}

const revoked = (name: string, token: string): Stranger =>
  bearing(name, token, "401 token-revoked");

async function endedMachines({ estate, mine, lapsed }: Grounds): Promise<Stranger[]> {
  const { id, key } = await mine.apiKey();
  const exchange = async (apiKey: string, headers = {}): Promise<string> => {
    const sent = { body: { apiKey }, headers };
    const { accessToken } = await estate.ok<Pair>("POST", "/auth/exchange", sent);
    return accessToken;
  };
  const machine = await exchange(key);
  await letIn(mine, machine);
  await estate.ok("DELETE", `/api-keys/${id}`, { token: mine.owner });
  const draft = { name: mine.name("key"), roles: ["admin"], allowedIps: ["203.0.113.0/24"] };
  const { key: bound } = await mine.made<{ key: string }>("/api-keys", draft);
  const away = await exchange(bound, elsewhere);
  const deleted = await application(mine);
  await estate.ok("DELETE", `/oauth/clients/${deleted.id}`, { token: mine.owner });
  const taken = await application(mine);
  const { client_id = "", client_secret = "" } = taken.form;
  await estate.ok("POST", "/oauth/revoke", {
    form: { token: taken.token, client_id, client_secret },
  });
  const reused = await application(mine);
  await estate.outcome("POST", "/oauth/token", { form: reused.form });
  return [
    revoked("an API key's, revoked", machine),
    bearing("an API key's, from elsewhere", away),
    bearing("an API key's that has ended", lapsed.apiKey, "401 token-expired"),
    bearing("a person's that is over", lapsed.user, "401 token-expired"),
    revoked("a deleted application's for a person", deleted.token),
    revoked("a deleted application's own", deleted.own),
    revoked("an application's, revoked", taken.token),
    revoked("an application's whose code came back", reused.token),
  ];
}

/** An application's token for the owner and one of its own, before they end. */
async function application(mine: House) {
  const { estate } = mine;
  const form = await mine.codeForm();
  const { client_id: id = "", client_secret = "" } = form;
  const token = async (sent: Readonly<Record<string, string>>): Promise<string> => {
    const answer = await estate.ok<{ access_token: string }>("POST", "/oauth/token", {
      form: sent,
    });
    await letIn(mine, answer.access_token);
    return answer.access_token;
  };
  const client = { client_id: id, client_secret };
  return {
    ...{ id, form, token: await token(form) },
    own: await token({ grant_type: "client_credentials", ...client }),
  };
}

async function endedTenants({ estate }: Grounds): Promise<Stranger[]> {
  const { root } = estate;
  const gone = await estate.house();
  const acting = await root.made<{ accessToken: string }>("/auth/impersonate", {
    ...{ tenantId: gone.id, reason: "support_request" },
  });
  const device = await venueOf(gone).working("station");
  const machine = await gone.machine();
  await estate.ok("DELETE", `/tenants/${gone.id}`, { token: root.owner });
  const shut = await estate.house();
  const guest = await root.made<{ accessToken: string }>("/auth/impersonate", {
    ...{ tenantId: shut.id, reason: "support_request" },
  });
  const tokens: Readonly<Record<string, string>> = {
    "the owner": shut.owner,
    "a member": await shut.token(),
    "an API key": await shut.machine(),
    "an application": (await shut.application()).access_token,
    "the Platform Owner in it": guest.accessToken,
  };
  await root.made(`/tenants/${shut.id}/block`, { reason: "Unpaid" });
  return [
    revoked("the owner of a deleted tenant", gone.owner),
    revoked("an API key of a deleted tenant", machine),
    revoked("the Platform Owner in a deleted tenant", acting.accessToken),
    bearing("a device of a deleted tenant", device.token),
    ...Object.entries(tokens).map(([name, token]) =>
      bearing(`${name} of a blocked tenant`, token, "403 tenant-blocked"),
    ),
  ];
}

/** Devices whose token was good; to the operator surface none of them ever was one. */
async function endedDevices({ estate, mine, lapsed }: Grounds): Promise<Stranger[]> {
  const venue = venueOf(mine);
  const { owner } = mine;
  const idOf = async (deviceId: string): Promise<string> => {
    const rows = await estate.rows<{ uuid: string }>(
      `SELECT uuid FROM device WHERE device_id = '${deviceId}'`,
    );
    return rows[0]?.uuid ?? "";
  };
  const secret = async (id: string, keepToken: boolean): Promise<string> =>
    (await mine.made<{ secret: string }>(`/fleet/devices/${id}/secret`, { keepToken })).secret;
  const ends: Readonly<Record<string, (id: string, deviceId: string) => Promise<unknown>>> = {
    revoked: (id) => mine.made(`/fleet/devices/${id}/revoke-token`),
    retired: (id) => estate.ok("DELETE", `/fleet/devices/${id}`, { token: owner }),
    "with a new secret": (id) => secret(id, false),
    "commissioned again": async (id, deviceId) =>
      venue.commission(deviceId, "station", await secret(id, true)),
    "commissioned again, and the later token used": async (id, deviceId) => {
      const next = await venue.commission(deviceId, "station", await secret(id, true));
      return venue.call("GET", "/api/policy", { token: next.token });
    },
  };
  const rows = [bearing("a device's that is over", lapsed.device)];
  for (const [name, end] of Object.entries(ends)) {
    const { token, deviceId } = await venue.working("station");
    await end(await idOf(deviceId), deviceId);
    rows.push(bearing(`a device ${name}`, token));
  }
  return rows;
}
