/** Zones, closer looks and corrections by the command line, beside a live server and without one. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { done, kartu, object, objects, type Server, serve, workspace } from "./cli-fixture.ts";

const work = workspace();
afterAll(work.remove);

/** What changes nothing. */
const refused = [
  "zone add",
  "zone rename Nowhere Else",
  "zone remove Nowhere",
  "device show nobody",
  "device edit nobody --name x",
  "member show 99",
  "member edit 1 --email x",
  "member find x",
  "policy clear",
  "policy clear --device till",
];

describe.each(["by the live server", "by itself"])("%s", (how) => {
  const data = work.path(how);
  let server: Server | undefined;
  const at = (...args: string[]): string[] => [...args, "--data", data];

  beforeAll(async () => {
    await done(["init", "--data", data]);
    if (how === "by the live server") server = await serve(["--data", data]);
  }, 30_000);
  afterAll(async () => {
    if (server !== undefined) expect((await server.end("SIGTERM")).code).toBe(0);
  });

  test("a venue is set straight", async () => {
    expect(await object(at("zone", "add", "Hall"))).toMatchObject({ name: "Hall", devices: 0 });
    await object(at("device", "add", "--id", "till", "--role", "terminal", "--zone", "Hall"));
    expect(await object(at("zone", "rename", "Hall", "Yard"))).toMatchObject({ devices: 1 });
    const edit = ["device", "edit", "till", "--name", "Till 1", "--zone", "Roof"];
    expect(await object(at(...edit))).toMatchObject({ name: "Till 1", zone: "Roof" });
    expect((await objects(at("zone", "list"))).map(({ name, devices }) => [name, devices])).toEqual(
      [
        ["Roof", 1],
        ["Yard", 0],
      ],
    );
    expect(await object(at("zone", "remove", "Yard"))).toEqual({ name: "Yard", removed: true });
    expect(await object(at("device", "edit", "till", "--no-name"))).toMatchObject({
      ...{ name: null, zone: "Roof" },
    });
    expect(await object(at("device", "show", "till"))).toMatchObject({
      ...{ deviceId: "till", exposure: { amount: 0, since: null }, lastUploadAt: null },
    });

    await object(at("member", "add", "--name", "Siti", "--email", "siti@example.com"));
    const rename = ["member", "edit", "1", "--name", "Siti Rahayu", "--no-email"];
    expect(await object(at(...rename))).toMatchObject({ name: "Siti Rahayu", email: null });
    expect(await object(at("member", "show", "1"))).toMatchObject({ userId: 1, cardId: null });
    await objects(at("member", "add", "--name", "Guest", "--count", "3"));
    const found = await objects(at("member", "find", "gUEST"));
    expect(found.map(({ name }) => name)).toEqual(["Guest 3", "Guest 2", "Guest 1"]);

    await object(at("policy", "set", "dailyLimit=900", "--zone", "Roof"));
    expect(await object(at("policy", "clear", "--zone", "Roof"))).toEqual({ policyVersion: 3 });
    expect(await object(at("policy", "show", "--device", "till"))).toMatchObject({
      dailyLimit: 2_000_000,
    });
    expect(await object(at("overview"))).toMatchObject({
      devices: { active: 1, suspended: 0, retired: 0, silent24h: 0 },
      exposure: { amount: 0 },
    });
    expect(await done(at("overview"))).toContain("active 1, suspended 0");
    expect(await done(at("device", "show", "till"))).toMatch(/deviceId +till/);
    await object(at("device", "edit", "till", "--no-zone"));
    await object(at("zone", "remove", "Roof"));
    expect(await done(at("zone", "list"))).toBe("no zones\n");
  }, 30_000);

  // Without a server the same code decides: one of them shows that it is asked.
  const tried = how === "by the live server" ? refused : refused.slice(0, 1);
  test.concurrent.each(tried)("%s is refused", async (line) => {
    const { code, stdout } = await kartu(at(...line.split(" "), "--json"));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });
});
