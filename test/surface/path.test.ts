/**
 * Methods and paths of what is really mounted: 405 with Allow, OPTIONS, HEAD, and that nothing a caller
 * writes around a path, or into Host, moves where it begins.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { deviceDoors, publicDoors } from "./door.ts";
import { refusal } from "./http-fixture.ts";
import { Live } from "./live.ts";

let live: Live;
beforeAll(async () => {
  live = await Live.open();
});
afterAll(() => live.close());

describe("methods and paths", () => {
  const pattern = (path: string): string => path.replaceAll(/:\w+/g, "a1b2c3d4e5f6");
  const every = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "PROPFIND"];

  /** Methods of each path of the device surface. */
  const offered = (): Map<string, string[]> => {
    const paths = new Map<string, string[]>();
    for (const name of [...Object.keys(deviceDoors), "POST /api/auth/token"]) {
      const [method = "", path = ""] = name.split(" ");
      paths.set(path, [...(paths.get(path) ?? []), method]);
    }
    return paths;
  };

  test("a method that a path does not offer is 405 with those it does, before any token", async () => {
    for (const [path, methods] of offered()) {
      const allow = [...methods, "OPTIONS"].sort();
      for (const method of every) {
        if (methods.includes(method)) continue;
        const response = await live.send({ method, path: pattern(path) });
        expect([method, path, response.status]).toEqual([method, path, 405]);
        expect((response.headers.get("allow") ?? "").split(", ").sort()).toEqual(allow);
        if (method !== "HEAD") expect((await refusal(response)).error).toBe("method_not_allowed");
      }
      const options = await live.send({ method: "OPTIONS", path: pattern(path) });
      expect([path, options.status, await options.text()]).toEqual([path, 204, ""]);
      expect((options.headers.get("allow") ?? "").split(", ").sort()).toEqual(allow);
      expect(options.headers.get("x-request-id")).toHaveLength(36);
    }
  });

  test("outside the device surface HEAD is GET without a body", async () => {
    for (const [name, status] of Object.entries(publicDoors)) {
      const [method = "", path = ""] = name.split(" ");
      if (method !== "GET") continue;
      const response = await live.send({ method: "HEAD", path });
      expect([path, response.status, await response.text()]).toEqual([path, status, ""]);
      const options = await live.send({ method: "OPTIONS", path });
      expect([path, options.status]).toEqual([path, 204]);
      expect(options.headers.get("allow")).toMatch(/^GET, HEAD, (?:POST, )?OPTIONS$/);
      const put = await live.send({ method: "PUT", path });
      expect([path, put.status]).toEqual([path, 405]);
      expect(put.headers.get("content-type")).toBe("application/problem+json");
    }
  });

  test("a path that is nearly one is none, for everyone and by any method", async () => {
    const { token: known } = live.devices.station;
    for (const path of offered().keys()) {
      const exact = pattern(path);
      const near = [`${exact}/`, `${exact}/x`, `${exact}.json`, `${exact}%2f`, `${exact};x=1`];
      for (const start of ["/API/", "/api/v2/", "/api/v1/", "/api/x/", "/x/api/", "/%61pi/"]) {
        near.push(exact.replace("/api/", start));
      }
      for (const wrong of near) {
        // A card id of another shape is a card that is not there; the route is the same.
        if (/\/api\/cards\/[^/]+$/.test(wrong)) continue;
        for (const method of ["GET", "POST", "PUT", "OPTIONS"]) {
          const response = await live.send({ method, path: wrong, token: known });
          expect([method, wrong, response.status]).toEqual([method, wrong, 404]);
        }
      }
    }
    for (const path of ["/api", "/api/", "/api/nothing", "/api/cards//events", "/api/.env"]) {
      expect((await refusal(await live.send({ method: "GET", path }))).error).toBe("not_found");
    }
    for (const path of ["/v1", "/nothing", "/api/v1", "/api/v1/nothing", "/.git/config"]) {
      const response = await live.send({ method: "GET", path });
      expect([path, response.status]).toEqual([path, 404]);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
    }
  });

  test("slashes and hosts don't move where a path begins", async () => {
    const { token: known } = live.devices.station;
    const get = async (path: string, host: string): Promise<string> => {
      const head = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${known}`;
      const answer = await live.raw(`${head}\r\nConnection: close\r\n\r\n`);
      const type = /^content-type: (\S+)/im.exec(answer)?.[1];
      return `${answer.slice(9, 12)} ${type}`;
    };
    const card = `/api/cards/${live.card.cardId}`;
    for (const host of [
      "kartu.test",
      "pos",
      "a",
      "[::1]:8080",
      "10.0.0.1",
      "",
      "a/b",
      "a?b",
      "%",
    ]) {
      for (const [path, answer] of [
        ["/api/policy", "200 application/json"],
        [card, "200 application/json"],
        ["/api/policy?x=http://a/b", "400 application/json"],
        ["/api/nothing", "404 application/json"],
        ["/nothing", "404 application/problem+json"],
        [`/x${card}`, "404 application/problem+json"],
        [`/xyz${card}`, "404 application/problem+json"],
        [`/long-before-it${card}`, "404 application/problem+json"],
        [`/${card}`, "404 application/problem+json"],
        [card.replace("/cards", "//cards"), "404 application/json"],
        [card.replace("/cards/", "/cards//"), "404 application/json"],
      ] as const) {
        expect([host, path, await get(path, host)]).toEqual([host, path, answer]);
      }
    }
  });

  test("the call that moves the clock is there in development alone", async () => {
    for (const [env, isThere] of [
      ["production", false],
      ["staging", false],
      ["development", true],
    ] as const) {
      const one = await Live.open({ config: { KARTU_ENV: env } });
      const knock = { method: "POST", path: "/api/v1/gateway/clock", body: { advanceSec: 60 } };
      const response = await one.send(knock);
      expect([env, response.status]).toEqual([env, isThere ? 401 : 404]);
      await one.close();
    }
  });
});
