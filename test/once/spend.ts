/**
 * The first use of a device's token spends the secret that yielded it, while others ask for a token with
 * that secret: whoever comes first, one token lives, and it is one that somebody has.
 */
import type { Clients } from "./clients.ts";
import type { Shot } from "./shot.ts";
import type { Stand } from "./stand.ts";

const json = { "content-type": "application/json" };

const useOf = (token: string): Shot => ({
  ...{ method: "GET", path: "/api/policy", body: "", fate: "whole" },
  headers: { authorization: `Bearer ${token}` },
});

/** One round. @returns what is wrong with it, a line each */
export async function spend(stand: Stand, clients: Clients, count: number): Promise<string[]> {
  const draft = { deviceId: stand.name("gate"), role: "gate" };
  const { secret } = await stand.made<{ secret: string }>("/fleet/devices", draft);
  const body = { ...draft, secret };
  const { token } = await stand.ok<{ token: string }>("POST", "/api/auth/token", { body });
  const ask: Shot = {
    ...{ method: "POST", path: "/api/auth/token", fate: "whole", headers: json },
    body: JSON.stringify(body),
  };
  const shots = Array.from({ length: count }, (_, at) => (at % 2 === 0 ? useOf(token) : ask));
  const replies = await (await clients.load(stand.url, shots))();
  const statuses = replies.map((reply) => reply?.status ?? 0);
  const used = statuses.filter((_, at) => at % 2 === 0);
  const asked = statuses.filter((_, at) => at % 2 === 1);
  const isUsed = used.includes(200);
  const faults: string[] = [];
  const all = (found: readonly number[], due: number, what: string): void => {
    if (found.some((status) => status !== due)) faults.push(`spending: ${what} answer ${found}`);
  };
  // Once used it can't be revoked by its own secret; once revoked it can't be used.
  all(used, isUsed ? 200 : 401, "uses of the token");
  all(asked, isUsed ? 401 : 200, "calls with the secret");
  const made = replies.flatMap((reply, at) =>
    at % 2 === 1 && reply?.status === 200
      ? [(JSON.parse(reply.body) as { token: string }).token]
      : [],
  );
  const uses = [token, ...made].map(useOf);
  const again = await (await clients.load(stand.url, uses))();
  const good = again.filter((reply) => reply?.status === 200).length;
  if (good !== 1) faults.push(`spending: ${good} of ${uses.length} tokens are good`);
  const [live] = stand.rows<{ tokens: number; secrets: number }>(
    `SELECT (SELECT count(*) FROM device_token t WHERE t.device_no = d.device_no
         AND t.revoked_at_ms IS NULL) AS tokens,
       (SELECT count(*) FROM device_secret s WHERE s.device_no = d.device_no
         AND s.spent_at_ms IS NULL AND s.killed_at_ms IS NULL) AS secrets
     FROM device d WHERE d.device_id = ?`,
    draft.deviceId,
  );
  if (live?.tokens !== 1 || live.secrets !== 0) {
    faults.push(`spending: ${live?.tokens} tokens and ${live?.secrets} secrets live`);
  }
  return faults;
}
