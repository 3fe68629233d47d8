/** What callers send to the operator surface: which faults are named, how, in which order; never values. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  batchMaxBytes,
  bodyMaxBytes,
  call,
  noteUuid,
  openPlatform,
  type PlatformWorld,
  type ProblemDocument,
  problem,
} from "./platform-fixture.ts";

let world: PlatformWorld;
let token: string;
beforeAll(() => {
  world = openPlatform();
  token = world.caller("ann");
});
afterAll(() => world.close());

const send = async (body: string | Uint8Array): Promise<ProblemDocument> =>
  problem(await call(world, { token, body: body as Bun.BodyInit }));

const codesOf = ({ errors = [] }: ProblemDocument): string =>
  errors.map(({ field, code }) => `${field} ${code}`).join(", ");

const text = '"text":"a"';

describe("bodies", () => {
  const cases: [body: string, faults: string][] = [
    ["{}", "text REQUIRED"],
    ["[]", " INVALID_TYPE"],
    ["null", " INVALID_TYPE"],
    ['"text"', " INVALID_TYPE"],
    ['{"text":1}', "text INVALID_TYPE"],
    ['{"text":null}', "text INVALID_TYPE"],
    ['{"text":""}', "text TOO_SHORT"],
    ['{"text":"12345678901234567"}', "text TOO_LONG"],
    ['{"text":"odd"}', "text NOT_ALLOWED"],
    ['{"text":"\\u0000"}', "text INVALID_FORMAT"],
    ['{"text":"\\ud800"}', "text INVALID_FORMAT"],
    [`{${text},"email":"nobody"}`, "email INVALID_FORMAT"],
    [`{${text},"email":""}`, "email INVALID_FORMAT"],
    [`{${text},"email":"a@b@c"}`, "email INVALID_FORMAT"],
    [`{${text},"email":"${"a".repeat(250)}@b.co"}`, "email INVALID_FORMAT"],
    [`{${text},"amount":-1}`, "amount TOO_SMALL"],
    [`{${text},"amount":1001}`, "amount TOO_LARGE"],
    [`{${text},"amount":"1"}`, "amount INVALID_TYPE"],
    [`{${text},"amount":1.5}`, "amount INVALID_TYPE"],
    [`{${text},"amount":true}`, "amount INVALID_TYPE"],
    [`{${text},"amount":9007199254740993}`, "amount TOO_LARGE"],
    [`{${text},"roles":[]}`, "roles TOO_FEW"],
    [`{${text},"roles":["a","b","c","d"]}`, "roles TOO_MANY"],
    [`{${text},"roles":["a","b","a"]}`, "roles[2] DUPLICATE"],
    [`{${text},"roles":["a",2]}`, "roles[1] INVALID_TYPE"],
    [`{${text},"roles":"a"}`, "roles INVALID_TYPE"],
    [`{${text},"at":"2026-11-21T16:33:00"}`, "at INVALID_FORMAT"],
    [`{${text},"at":"2026-02-30T16:33:00Z"}`, "at INVALID_FORMAT"],
    [`{${text},"kind":"quiet"}`, "kind NOT_ALLOWED"],
    [`{${text},"kind":1}`, "kind INVALID_TYPE"],
    [`{${text},"userId":"1"}`, "userId INVALID_FORMAT"],
    [`{${text},"userId":"${noteUuid.toUpperCase()}"}`, "userId INVALID_FORMAT"],
    [`{${text},"parent":1}`, "parent INVALID_TYPE"],
    [`{${text},"parent":"x"}`, "parent INVALID_FORMAT"],
    [
      `{${text},"recipients":[{"userId":"${noteUuid}"},{"userId":1,"x":2}]}`, // two in one item
      "recipients[1].userId INVALID_TYPE, recipients[1].x UNKNOWN_FIELD",
    ],
    [`{${text},"more":1}`, "more UNKNOWN_FIELD"],
    [`{${text},"__proto__":1}`, "__proto__ UNKNOWN_FIELD"],
    [`{${text},"a b":1}`, "* UNKNOWN_FIELD"],
    [`{${text},"text":"b"}`, "text DUPLICATE"],
    [`{${text},"metadata":{"a":{"b":1,"b":1}}}`, "metadata.a.b DUPLICATE"],
    [`{${text},"metadata":{"a":[9007199254740993]}}`, "metadata.a[0] TOO_LARGE"],
    [`{${text},"metadata":{"a":-1e400}}`, "metadata.a TOO_SMALL"],
    [`{${text},"metadata":{"a":"\\udc00"}}`, "metadata.a INVALID_FORMAT"],
    [`{${text},"metadata":[]}`, "metadata INVALID_TYPE"],
    // In the order of the contract's fields, unknown ones last.
    [
      '{"zz":1,"kind":"x","amount":-1}',
      "text REQUIRED, amount TOO_SMALL, kind NOT_ALLOWED, zz UNKNOWN_FIELD",
    ],
  ];
  for (const [body, faults] of cases) {
    test(`${body.slice(0, 60)}: ${faults}`, async () => {
      const answer = await send(body);
      expect([answer.status, answer.slug, codesOf(answer)]).toEqual([
        400,
        "validation-error",
        faults,
      ]);
      expect(answer.detail).toBe("The request body contains invalid fields.");
    });
  }

  const taken: string[] = [
    `{${text}}`,
    `{${text},"parent":null}`,
    `{${text},"parent":"${noteUuid}"}`,
    `{${text},"at":"2026-11-21T16:33:00.5+07:00"}`,
    `{${text},"amount":0,"kind":"loud","roles":["a"]}`,
    `{${text},"metadata":{"a":[1.5,null,{"b":"c"}]}}`,
    `{"text":"🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂"}`,
    `{${text},"email":" Someone@Example.COM "}`,
  ];
  for (const body of taken) {
    test(`${body.slice(0, 60)} is taken`, async () => {
      expect((await call(world, { token, body })).status).toBe(201);
    });
  }

  test("fixed messages", async () => {
    const { errors } = await send(`{${text},"email":"x","roles":[]}`);
    expect(errors?.map(({ message }) => message)).toEqual([
      "Must be a valid email address",
      "At least one role is required",
    ]);
  });

  test("at most 50 faults are named, and none of them holds what was sent", async () => {
    const many = Array.from({ length: 80 }, () => '{"userId":"canary-value"}').join(",");
    const answer = await send(`{${text},"recipients":[${many}]}`);
    expect(answer.errors).toHaveLength(50);
    expect(JSON.stringify(answer)).not.toContain("canary-value");
  });

  const broken: [string | Uint8Array, string][] = [
    ["{", "must be JSON"],
    ["{'text':1}", "must be JSON"],
    ['{"text":"a"}x', "must be JSON"],
    ['\ufeff{"text":"a"}', "must be JSON"],
    [new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), "must be UTF-8"],
    ["[".repeat(40) + "]".repeat(40), "is nested too deeply"],
  ];
  for (const [body, what] of broken) {
    test(`${String(body).slice(0, 20)} is malformed-json`, async () => {
      const { slug, detail, errors } = await send(body);
      expect([slug, errors]).toEqual(["malformed-json", undefined]);
      expect(detail).toBe(`The request body ${what}.`);
    });
  }

  test("none is needed where none is stated; `{}` is taken, a member is not", async () => {
    const path = `/api/v1/notes/${noteUuid}/clear`;
    expect((await call(world, { token, path, body: null, type: null })).status).toBe(204);
    expect((await call(world, { token, path, body: null, type: "text/plain" })).status).toBe(204);
    expect((await call(world, { token, path, body: "{}" })).status).toBe(204);
    const answer = await problem(await call(world, { token, path, body: '{"x":1}' }));
    expect(codesOf(answer)).toBe("x UNKNOWN_FIELD");
    expect((await problem(await call(world, { token, path, body: "[]" }))).slug).toBe(
      "validation-error",
    );
  });

  test("no body where one is due names what is missing", async () => {
    const answer = await problem(await call(world, { token, body: null, type: null }));
    expect(codesOf(answer)).toBe("text REQUIRED");
  });

  for (const type of [
    "application/json; charset=utf-8",
    "Application/JSON",
    "application/json;charset=UTF-8",
  ]) {
    test(`content type ${type} is taken`, async () => {
      expect((await call(world, { token, type })).status).toBe(201);
    });
  }
  for (const type of [
    "text/plain",
    "application/xml",
    "application/json-patch+json",
    "application/json; charset=latin1",
    null,
  ]) {
    test(`content type ${type} is 415`, async () => {
      // Bytes, since fetch names a type for text by itself.
      const body = new TextEncoder().encode('{"text":"a"}');
      const { status, slug } = await problem(await call(world, { token, type, body }));
      expect([status, slug]).toEqual([415, "unsupported-media-type"]);
    });
  }

  test("a compressed body is 415", async () => {
    const headers = { "content-encoding": "gzip" };
    expect((await problem(await call(world, { token, headers }))).status).toBe(415);
  });

  test("sizes: the setting, batches theirs, also where no length is declared", async () => {
    const padded = (length: number) => `{${text}${" ".repeat(length - text.length - 2)}}`;
    expect((await call(world, { token, body: padded(bodyMaxBytes) })).status).toBe(201);
    expect((await send(padded(bodyMaxBytes + 1))).slug).toBe("payload-too-large");
    const batch = { token, path: "/v1/notes/batch" };
    const items = `{"items":["a"]}`;
    const large = items + " ".repeat(bodyMaxBytes + 1);
    expect((await call(world, { ...batch, body: large })).status).toBe(201);
    const over = items + " ".repeat(batchMaxBytes);
    expect((await problem(await call(world, { ...batch, body: over }))).status).toBe(413);
    const stream = new ReadableStream({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode(padded(bodyMaxBytes + 1)));
        controller.close();
      },
    });
    expect((await problem(await call(world, { token, body: stream }))).status).toBe(413);
  });
});

describe("forms", () => {
  const path = "/api/v1/oauth/token";
  const type = "application/x-www-form-urlencoded";

  test("are read where a form is due; an empty parameter counts as left out", async () => {
    const response = await call(world, { path, type, body: "grant_type=a%20b&scope=&x=1" });
    expect([response.status, await response.text()]).toEqual([200, '{"grant":"a b"}']);
  });

  test("JSON is 415, a repeated or missing parameter 400", async () => {
    expect((await problem(await call(world, { path, body: "{}" }))).status).toBe(415);
    const twice = { path, type, body: "grant_type=a&grant_type=b" };
    expect(codesOf(await problem(await call(world, twice)))).toBe("grant_type DUPLICATE");
    const none = { path, type, body: "x=1" };
    expect(codesOf(await problem(await call(world, none)))).toBe("grant_type REQUIRED");
  });
});

describe("queries", () => {
  const get = (query: string) => call(world, { method: "GET", token, path: `/v1/notes?${query}` });
  const cases: [query: string, faults: string][] = [
    ["limit=0", "limit TOO_SMALL"],
    ["limit=-1", "limit TOO_SMALL"],
    ["limit=101", "limit TOO_LARGE"],
    ["limit=99999999999999999999", "limit TOO_LARGE"],
    ["limit=1.5", "limit INVALID_TYPE"],
    ["limit=", "limit INVALID_TYPE"],
    ["limit=1e1", "limit INVALID_TYPE"],
    ["limit=%2B5", "limit INVALID_TYPE"],
    ["limit=5&limit=5", "limit DUPLICATE"],
    ["q=a", "q TOO_SHORT"],
    [`q=${"a".repeat(101)}`, "q TOO_LONG"],
    ["q=a%00b", "q INVALID_FORMAT"],
    ["kind=quiet", "kind NOT_ALLOWED"],
    ["flagged=1", "flagged INVALID_TYPE"],
    ["types=a,b,c,d", "types TOO_MANY"],
    ["types=a,,b", "types[1] TOO_SHORT"],
    ["version=1", "version UNKNOWN_PARAMETER"],
    ["x%20y=1", "* UNKNOWN_PARAMETER"],
    ["z=1&limit=0", "limit TOO_SMALL, z UNKNOWN_PARAMETER"],
  ];
  for (const [query, faults] of cases) {
    test(`${query.slice(0, 40)}: ${faults}`, async () => {
      const answer = await problem(await get(query));
      expect([answer.slug, codesOf(answer)]).toEqual(["validation-error", faults]);
      expect(answer.detail).toBe("The query contains invalid parameters.");
    });
  }
  for (const query of ["", "limit=1", "limit=100", "q=ab", "flagged=true", "types=a,b&types=c"]) {
    test(`?${query} is taken`, async () => expect((await get(query)).status).toBe(200));
  }

  test("a call without parameters takes none", async () => {
    const path = `/api/v1/notes/${noteUuid}?x=1`;
    const answer = await problem(await call(world, { method: "GET", token, path }));
    expect(codesOf(answer)).toBe("x UNKNOWN_PARAMETER");
    const posted = await problem(await call(world, { token, path: "/api/v1/notes?x=1" }));
    expect([posted.detail, codesOf(posted)]).toEqual([
      "The query contains invalid parameters.",
      "x UNKNOWN_PARAMETER",
    ]);
  });
});

describe("ids in paths", () => {
  for (const id of ["1", noteUuid.toUpperCase(), `${noteUuid}0`, "%00", "%zz", "..", "current"]) {
    test(`${id} is 404`, async () => {
      const path = `/api/v1/notes/${id}`;
      const answer = await call(world, { method: "GET", token, path });
      expect(answer.status).toBe(404);
      expect((await problem(answer)).slug).toBe("not-found");
    });
  }
});
