/** The device surface at the end of its life: headers on every answer, then 410 and nothing else. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { call, openWorld, refusal, type World } from "./http-fixture.ts";

let world: World;
beforeAll(() => {
  world = openWorld();
});
afterAll(() => world.close());

const headers = {
  deprecation: "@1800000000",
  sunset: "Tue, 01 Jun 2027 00:00:00 GMT",
  link: '</api-docs/v0>; rel="deprecation"',
};
const said = (response: Response) => ({
  deprecation: response.headers.get("deprecation"),
  sunset: response.headers.get("sunset"),
  link: response.headers.get("link"),
});

test("while it is current, nothing is said", async () => {
  const response = await call(world, { token: world.device("gate") });
  expect(said(response)).toEqual({ deprecation: null, sunset: null, link: null });
});

test("deprecated: on answers, refusals, unknown paths and wrong verbs alike", async () => {
  world.notice = { headers, ended: false };
  const token = world.device("gate");
  const calls = [{ token }, { token: null }, { path: "/api/nothing" }, { method: "GET" }];
  const statuses: number[] = [];
  for (const each of calls) {
    const response = await call(world, each);
    statuses.push(response.status);
    expect(said(response)).toEqual(headers);
  }
  expect(statuses).toEqual([201, 401, 404, 405]);
  // Other surfaces are of other versions.
  expect(said(await call(world, { path: "/api/v1/nothing" })).deprecation).toBeNull();
});

test("past its sunset: 410 before anything is looked at, and nothing is written", async () => {
  world.notice = { headers, ended: true };
  const before = await world.notes();
  for (const token of [world.device("gate"), null]) {
    const response = await call(world, { token });
    expect(said(response)).toEqual(headers);
    expect(await refusal(response)).toMatchObject({ status: 410, error: "version_sunset" });
  }
  expect(await world.notes()).toBe(before);
  expect(world.served.at(-1)).toMatchObject({ status: 410, path: "/api/notes/:noteId" });
});
