/**
 * Yardstick: what the HTTP stack does when there is nothing to do. Bare Elysia that answers a constant
 * JSON of the size of a card, in a process of its own.
 */
import { Elysia } from "elysia";

const constant = {
  cardId: "a1b2c3d4e5f6",
  userId: 1001,
  status: "ACTIVE",
  balance: 3_050_000,
  createdAt: 1_746_600_000,
  counter: 1,
  lastActivity: 1_746_690_000,
  chipBalance: 3_000_000,
  state: "IDLE",
  pendingTopups: { count: 1, amount: 50_000 },
  needsValidation: false,
  expiresAt: null,
};

const app = new Elysia({ strictPath: true })
  .get("/ceiling", () => constant)
  .listen({ hostname: "127.0.0.1", port: 0 });
process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${app.server?.port}` })}\n`);
process.once("SIGTERM", () => process.exit(0));
