/** A bearer token whose `kid` is no text was answered with 500 before anything of it was checked. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { Estate } from "../surface/estate.ts";
import { jws, partsOf, unsigned } from "../surface/matrix/forge.ts";

let estate: Estate;
beforeAll(async () => {
  estate = await Estate.open();
});
afterAll(() => estate.close());

for (const kid of [null, 0, true, ["tok_"], { length: 4 }]) {
  test(`a kid of ${JSON.stringify(kid)} is a stranger's`, async () => {
    const { header, claims } = partsOf(estate.root.owner);
    const token = await jws({ ...header, kid }, claims, unsigned);
    expect(await estate.outcome("GET", "/auth/me", { token })).toBe("401 unauthorized");
  });
}
