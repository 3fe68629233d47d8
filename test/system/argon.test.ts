/** Hashing of passwords: what is made can be checked, and no more runs at once than is let. */
import { expect, test } from "bun:test";
import { Problem } from "../../src/domain/problem.ts";
import { argon, passwordCost } from "../../src/system/argon.ts";

const cost = { memoryKib: 64, passes: 1 };

test("a hash is of its secret alone, and says its cost", async () => {
  const { hash, verify } = argon({ cost });
  const made = await hash("a secret");
  expect(made).toStartWith("$argon2id$v=19$m=64,t=1,p=1$");
  expect(await verify("a secret", made)).toBe(true);
  expect(await verify("another", made)).toBe(false);
  expect(await verify("a secret", null)).toBe(false);
});

test("passwords cost 64 MiB and two passes", async () => {
  expect(passwordCost).toEqual({ memoryKib: 65_536, passes: 2 });
  const made = await argon({ cost: passwordCost }).hash("a secret");
  expect(made).toStartWith("$argon2id$v=19$m=65536,t=2,p=1$");
});

test("who comes while too many wait is told to come back; the others are served", async () => {
  const { hash } = argon({ cost, atOnceMax: 2, waitingMax: 3 });
  const settled = await Promise.allSettled(Array.from({ length: 8 }, () => hash("a secret")));
  const refused = settled.filter(({ status }) => status === "rejected");
  expect(refused).toHaveLength(3);
  for (const one of refused) {
    if (one.status !== "rejected") continue;
    expect(one.reason).toBeInstanceOf(Problem);
    expect(one.reason).toMatchObject({ slug: "overloaded", extra: { retryAfterSec: 1 } });
  }
  await Promise.all([hash("a secret"), hash("a secret")]);
});
