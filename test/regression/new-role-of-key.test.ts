/** A role made after the tenant's roles had been read granted an API key nothing until some later change. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { Estate } from "../surface/estate.ts";

let estate: Estate;
beforeAll(async () => {
  estate = await Estate.open();
});
afterAll(() => estate.close());

test("a key with a new role may what the role says, with its first call", async () => {
  const { root } = estate;
  const before = await root.machine(["admin"]);
  expect(await estate.outcome("GET", "/users", { token: before })).toBe("200");
  const { name } = await root.role(["users.list"]);
  const token = await root.machine([name]);
  expect(await estate.outcome("GET", "/users", { token })).toBe("200");
  expect(await estate.outcome("GET", "/roles", { token })).toBe("403 forbidden");
});
