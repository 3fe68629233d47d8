/**
 * Calls that must be refused, each with its own code: what a device of the wrong role, a foolish one or
 * a hostile one would try. They change nothing.
 */
import type { Answer, Call } from "./client.ts";
import type { Findings } from "./finding.ts";
import type { Radio } from "./radio.ts";
import type { Station } from "./station.ts";
import type { Terminal } from "./terminal.ts";

type Probe = readonly [
  what: string,
  call: Omit<Call, "token" | "kind">,
  status: number,
  code: string,
];

const errorOf = (answer: Answer): unknown =>
  (answer.body as { error?: unknown } | null)?.error ?? null;

const post = (path: string, body: unknown) =>
  ({ method: "POST", path, body: JSON.stringify(body) }) as const;
const get = (path: string) => ({ method: "GET", path }) as const;

async function run(radio: Radio, findings: Findings, probes: readonly Probe[]): Promise<void> {
  for (const [what, call, status, error] of probes) {
    const answer = await radio.call({ ...call, kind: "probe" });
    const got = { status: answer.status, error: errorOf(answer) };
    findings.same(`probe: ${what}`, { status, error }, got);
  }
}

const nowhere = "/api/cards/000000000000";
const card = {
  cardId: "000000000001",
  userId: 4_294_967_295,
  name: "nobody",
  createdAt: 1,
  keyVersion: 1,
};

/** Of a terminal: may not manage cards, speak for another, or send what the contract forbids. */
export async function probeTerminal(terminal: Terminal, findings: Findings): Promise<void> {
  const { terminalId } = terminal;
  const event = {
    cardId: "000000000000",
    counter: 1,
    type: "debit",
    amount: 1,
    balanceAfter: 0,
    timestamp: 1,
    hash: "000000000000",
  };
  const batch = (events: unknown[]) => post("/api/reconcile", { terminalId, events });
  const another = post("/api/reconcile", { terminalId: (terminalId + 1) % 65_536, events: [] });
  const malformed: [string, unknown][] = [
    ["capitals in an id", { ...event, cardId: "ABCDEF000000" }],
    ["a fraction", { ...event, amount: 1.5 }],
    ["a string for a number", { ...event, counter: "1" }],
    ["an unknown field", { ...event, extra: 1 }],
    ["counter 0", { ...event, counter: 0 }],
    ["an unknown type", { ...event, type: "refund" }],
  ];
  await run(terminal, findings, [
    ["a terminal registers a card", post("/api/cards", card), 403, "insufficient_role"],
    ["another's batch", another, 403, "terminal_mismatch"],
    ["1001 events", batch(new Array(1_001).fill(event)), 413, "batch_too_large"],
    ["an unknown card", get(nowhere), 404, "card_not_found"],
    ["a malformed id", get("/api/cards/xyz"), 404, "card_not_found"],
    ["an unknown path", get("/api/nowhere"), 404, "not_found"],
    ["another method", get("/api/reconcile"), 405, "method_not_allowed"],
    [
      "a version that was never made",
      get("/api/session-grant?keyVersion=255"),
      422,
      "invalid_key_version",
    ],
    ["an unknown parameter", get("/api/session-grant?key=1"), 400, "malformed_payload"],
    ...malformed.map(([what, bad]): Probe => [what, batch([bad]), 400, "malformed_payload"]),
  ]);
  const empty = await terminal.call({ ...batch([]), kind: "probe" });
  const { accepted, rejected, flags } = (empty.body ?? {}) as Record<string, unknown>;
  const got = { status: empty.status, accepted, rejected, flags };
  findings.same("probe: an empty batch", { status: 200, accepted: 0, rejected: 0, flags: [] }, got);
}

/** Of a station: a card and a member that exist already, a member and a key that don't. */
export async function probeStation(
  station: Station,
  findings: Findings,
  taken: { cardId: string; userId: number; freeUserId: number | null },
): Promise<void> {
  const keyVersion = station.ring.primary;
  const { cardId, userId, freeUserId } = taken;
  const topup = { amount: 1, operatorId: 1, timestamp: 1 };
  const probes: Probe[] = [
    [
      "a card twice",
      post("/api/cards", { ...card, cardId, userId, keyVersion }),
      409,
      "card_already_registered",
    ],
    [
      "a member twice",
      post("/api/cards", { ...card, userId, keyVersion }),
      409,
      "user_has_active_card",
    ],
    ["no such member", post("/api/cards", { ...card, keyVersion }), 422, "invalid_user"],
    [
      "top-up of nothing",
      post(`/api/cards/${cardId}/topup`, { ...topup, amount: 0 }),
      400,
      "malformed_payload",
    ],
    ["top-up of no card", post(`${nowhere}/topup`, topup), 404, "card_not_found"],
    [
      "cancel of nothing",
      post(`/api/cards/${cardId}/topup/none/cancel`, {}),
      404,
      "topup_not_found",
    ],
  ];
  if (freeUserId !== null) {
    const body = { ...card, userId: freeUserId, keyVersion: 255 };
    probes.push(["a key never made", post("/api/cards", body), 422, "invalid_key_version"]);
  }
  await run(station, findings, probes);
}

/** Of a scout: reads only. */
export async function probeScout(scout: Radio, findings: Findings): Promise<void> {
  await run(scout, findings, [
    ["a scout asks for a grant", get("/api/session-grant"), 403, "insufficient_role"],
    ["a scout asks for the policy", get("/api/policy"), 403, "insufficient_role"],
    ["a scout reports", post("/api/terminal-report", {}), 403, "insufficient_role"],
  ]);
}
