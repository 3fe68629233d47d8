/** The document of a surface: valid for two validators, and saying of each route what it does. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { openapiDocument } from "../../src/http/openapi.ts";
import { testRoutes } from "./http-fixture.ts";
import { lint } from "./openapi-lint.ts";

const routes = testRoutes.filter((route) => route.operationId !== "broken");
const document = openapiDocument(
  {
    title: "Test surface",
    version: "1.0.0",
    description: "Made-up routes.",
    serverUrl: "https://kartu.test",
    tags: [{ name: "notes", description: "Notes" }],
  },
  routes,
);

interface Operation {
  operationId: string;
  security: unknown[];
  "x-permission": string;
  parameters: { name: string; in: string }[];
  requestBody?: { content: { "application/json": { example: unknown } } };
  responses: Record<string, { content?: { "application/json": { examples?: object } } }>;
}
const operations = new Map(
  Object.values(document.paths as unknown as Record<string, Record<string, Operation>>)
    .flatMap((path) => Object.values(path))
    .map((operation) => [operation.operationId, operation]),
);

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "kartu-openapi-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

describe("the document", () => {
  test("is valid OpenAPI 3.1", async () => {
    const result = await new Validator().validate(structuredClone(document));
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
  });

  test("passes the linter", async () => {
    expect(await lint(document, directory)).toEqual([]);
  }, 30_000);

  test("has each route once", () => {
    expect([...operations.keys()].sort()).toEqual(routes.map((route) => route.operationId).sort());
  });

  test("names roles, op and refusals", () => {
    const write = operations.get("writeNote");
    expect(write?.["x-permission"]).toBe("station; grant with topup");
    expect(write?.security).toEqual([{ deviceToken: [] }]);
    expect(write?.parameters.map(({ name }) => name)).toEqual(["noteId", "Idempotency-Key"]);
    expect(Object.keys(write?.responses ?? {})).toEqual([
      "201",
      "400",
      "401",
      "403",
      "404",
      "409",
      "413",
      "415",
      "422",
      "429",
      "500",
      "503",
    ]);
    const forbidden = write?.responses["403"]?.content?.["application/json"].examples ?? {};
    expect(Object.keys(forbidden)).toEqual([
      "insufficient_role",
      "terminal_suspended",
      "op_not_granted",
      "terminal_mismatch",
    ]);
    expect(write?.requestBody?.content["application/json"].example).toEqual({
      terminalId: 7,
      text: "hello",
    });
  });

  test("a public call asks for nothing, a conditional read can be 304", () => {
    const token = operations.get("token");
    expect([token?.security, token?.["x-permission"]]).toEqual([[], "public"]);
    expect(token?.parameters).toEqual([]);
    const read = operations.get("readNotes");
    expect(Object.keys(read?.responses ?? {})).toContain("304");
    expect(read?.["x-permission"]).toBe("any device");
  });
});
