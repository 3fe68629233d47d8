/**
 * Letters were on their way before the answer to whoever asked for one: a link to a new password took
 * longer to promise where the address was somebody's, and so told whose it was.
 */
import { afterAll, beforeAll, expect, spyOn, test } from "bun:test";
import type { Reader } from "../../src/store/seam.ts";
import { Estate } from "../surface/estate.ts";

let estate: Estate;
beforeAll(async () => {
  estate = await Estate.open();
});
afterAll(() => estate.close());

test("the letter is looked for once the answer is out", async () => {
  const { kartu, serving } = estate;
  const { email } = await (await estate.house()).person();
  await kartu.mail.idle();
  const seen: string[] = [];
  const read = kartu.store.read.bind(kartu.store);
  const named = (q: Reader): Reader => ({
    get: (statement, ...params) => q.get(statement, ...params),
    all: (statement, ...params) => {
      seen.push(statement.name);
      return q.all(statement, ...params);
    },
    isNewest: () => q.isNewest(),
  });
  const spy = spyOn(kartu.store, "read").mockImplementation((work) => read((q) => work(named(q))));
  const request = new Request(`${serving.url}/api/v1/auth/request-reset`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email }),
  });
  const { status } = await serving.app.handle(request);
  seen.push("answered");
  await kartu.mail.idle();
  spy.mockRestore();
  expect(status).toBe(202);
  expect(seen).toContain("mail.due");
  expect(seen.indexOf("mail.due")).toBeGreaterThan(seen.indexOf("answered"));
  expect(await estate.linkTo(email, "pr_")).toStartWith("pr_");
});
