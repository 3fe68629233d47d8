/** Payloads as they can arrive: media types, lengths, broken JSON and odd spellings; paths in messages. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import {
  batchItemsMax,
  bodyMaxBytes,
  call,
  openWorld,
  refusal,
  type World,
} from "./http-fixture.ts";

let world: World;
let token: string;
beforeAll(() => {
  world = openWorld();
  token = world.device("payloads");
});
afterAll(() => world.close());

describe("media types", () => {
  const accepted = [
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    'Application/JSON ; Charset="utf8"',
  ];
  for (const type of accepted) {
    test(`${type} is JSON`, async () => {
      expect((await call(world, { token, type })).status).toBe(201);
    });
  }
  const refused = [
    null,
    "text/plain",
    "application/jsonp",
    "application/problem+json",
    "application/json, application/json",
    "application/json, text/plain",
    "application/json; charset=latin1",
    "application/json; charset=utf-16",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
  ];
  for (const type of refused) {
    test(`${type} is not`, async () => {
      const body = new TextEncoder().encode('{"terminalId":7,"text":"hello"}');
      expect((await refusal(await call(world, { token, type, body }))).status).toBe(415);
    });
  }
  test("a compressed body is refused, identity is not", async () => {
    for (const coding of ["gzip", "br", "deflate", "gzip, identity"]) {
      const response = await call(world, { token, headers: { "content-encoding": coding } });
      expect((await refusal(response)).status).toBe(415);
    }
    expect((await call(world, { token, headers: { "content-encoding": "identity" } })).status).toBe(
      201,
    );
  });
});

describe("lengths", () => {
  const padded = (bytes: number): string => '{"terminalId":7,"text":"hello"}'.padEnd(bytes, " ");

  test("the limit itself passes, one more does not", async () => {
    expect((await call(world, { token, body: padded(bodyMaxBytes) })).status).toBe(201);
    const over = await call(world, { token, body: padded(bodyMaxBytes + 1) });
    expect((await refusal(over)).error).toBe("payload_too_large");
  });

  const chunked = (bytes: number): ReadableStream<Uint8Array> => {
    let left = bytes;
    return new ReadableStream({
      pull: (controller) => {
        const part = padded(bytes).slice(bytes - left, bytes - left + 512);
        left -= part.length;
        if (part.length > 0) controller.enqueue(new TextEncoder().encode(part));
        else controller.close();
      },
    });
  };
  test("a body without a declared length is counted while it is read", async () => {
    expect((await call(world, { token, body: chunked(bodyMaxBytes) })).status).toBe(201);
    const over = await call(world, { token, body: chunked(bodyMaxBytes + 1) });
    expect((await refusal(over)).error).toBe("payload_too_large");
    const huge = await call(world, { token, body: chunked(bodyMaxBytes * 400) });
    expect((await refusal(huge)).error).toBe("payload_too_large");
  });

  test("a declared length is judged before any byte of it, in our words", async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      let text = "";
      const socket = connect(world.app.server?.port ?? 0, "127.0.0.1", () =>
        socket.write(
          "POST /api/batch HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n",
        ),
      );
      socket.on("data", (data) => {
        text += data;
        if (text.includes("}")) socket.destroy();
      });
      socket.on("close", () => resolve(text));
      socket.on("error", reject);
    });
    expect(answer).toStartWith("HTTP/1.1 413 ");
    expect(answer).toContain('{"error":"payload_too_large"');
    expect(answer.toLowerCase()).toContain("x-request-id: ");
  });

  test("a caller who stops half-way is no fault of ours, and nothing is recorded", async () => {
    const [served, notes] = [world.served.length, await world.notes()];
    for (const framing of ["Content-Length: 100", "Transfer-Encoding: chunked"]) {
      const socket = connect(world.app.server?.port ?? 0, "127.0.0.1");
      socket.on("error", () => undefined);
      const head = `POST /api/notes/0123456789ab HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}`;
      socket.write(`${head}\r\nContent-Type: application/json\r\n${framing}\r\n\r\n`);
      await new Promise((done) => socket.write('1f\r\n{"terminalId":7', done));
      socket.destroy();
    }
    while (world.served.length < served + 2) await Bun.sleep(1);
    expect(world.served.slice(served).map(({ status }) => status)).toEqual([400, 400]);
    expect([world.faults, await world.notes()]).toEqual([[], notes]);
  });

  test("a GET's body is not looked at", async () => {
    const request = new Request("http://localhost/api/notes", {
      method: "GET",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "text/plain",
        "content-length": "3",
      },
    });
    expect((await world.app.handle(request)).status).toBe(200);
  });
});

const bytes = (...parts: (string | number[])[]): Uint8Array =>
  Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from(part))),
  );

const deep = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;

/** Name, body, and the message where it is worth pinning. */
const malformedNotes: readonly [string, string | Uint8Array, string?][] = [
  ["empty", "", "body: is required"],
  ["blank", "   ", "body: must be JSON"],
  ["cut", '{"terminalId":7,"text":"hel', "body: must be JSON"],
  ["cut before the end", '{"terminalId":7,"text":"hello"', "body: must be JSON"],
  ["two values", '{"terminalId":7,"text":"a"}{}', "body: must be JSON"],
  ["trailing comma", '{"terminalId":7,"text":"a",}'],
  ["single quotes", "{'terminalId':7,'text':'a'}"],
  ["comment", '{"terminalId":7,"text":"a"/*x*/}'],
  ["NaN", '{"terminalId":NaN,"text":"a"}'],
  ["hexadecimal", '{"terminalId":0x7,"text":"a"}'],
  ["leading zero", '{"terminalId":07,"text":"a"}'],
  ["plus sign", '{"terminalId":+7,"text":"a"}'],
  ["raw control character", '{"terminalId":7,"text":"a\nb"}'],
  ["not UTF-8", bytes('{"terminalId":7,"text":"', [0xff, 0xfe], '"}'), "body: must be UTF-8"],
  ["overlong UTF-8", bytes('{"terminalId":7,"text":"', [0xc0, 0xaf], '"}'), "body: must be UTF-8"],
  [
    "surrogate in UTF-8",
    bytes('{"terminalId":7,"text":"', [0xed, 0xa0, 0x80], '"}'),
    "body: must be UTF-8",
  ],
  ["cut UTF-8", bytes('{"terminalId":7,"text":"', [0xe2, 0x82], '"}'), "body: must be UTF-8"],
  [
    "byte order mark",
    bytes([0xef, 0xbb, 0xbf], '{"terminalId":7,"text":"a"}'),
    "body: must be JSON",
  ],
  ["UTF-16", Buffer.from('{"terminalId":7,"text":"a"}', "utf16le")],
  ["null", "null", "body: must be an object"],
  ["array", "[]", "body: must be an object"],
  ["string", '"text"', "body: must be an object"],
  ["number", "7", "body: must be an object"],
  ["deep", deep(30), "body: must be an object"],
  ["too deep", deep(40), "body: is nested too deeply"],
  ["far too deep", deep(990), "body: is nested too deeply"],
  ["missing", '{"terminalId":7}', "text: is required"],
  ["missing number", '{"text":"a"}', "terminalId: is required"],
  [
    "number as a string",
    '{"terminalId":"7","text":"a"}',
    "terminalId: must be an integer from 0 to 65535",
  ],
  ["fraction", '{"terminalId":7.5,"text":"a"}', "terminalId: must be an integer from 0 to 65535"],
  [
    "written as a fraction",
    '{"terminalId":7.0,"text":"a"}',
    "terminalId: must be an integer in plain digits",
  ],
  [
    "written with an exponent",
    '{"terminalId":7e0,"text":"a"}',
    "terminalId: must be an integer in plain digits",
  ],
  [
    "capital exponent",
    '{"text":"a","terminalId":7E0}',
    "terminalId: must be an integer in plain digits",
  ],
  ["minus zero", '{"terminalId":-0,"text":"a"}', "terminalId: must be an integer in plain digits"],
  ["negative", '{"terminalId":-1,"text":"a"}'],
  ["too large", '{"terminalId":65536,"text":"a"}'],
  ["beyond 2^53", '{"terminalId":9007199254740993,"text":"a"}'],
  ["infinite", '{"terminalId":1e999,"text":"a"}'],
  ["true for a number", '{"terminalId":true,"text":"a"}'],
  ["null for a number", '{"terminalId":null,"text":"a"}'],
  ["list for a number", '{"terminalId":[7],"text":"a"}'],
  [
    "optional null",
    '{"terminalId":7,"text":"a","amount":null}',
    "amount: must be an integer from 0 to 16777215",
  ],
  [
    "number for a string",
    '{"terminalId":7,"text":5}',
    "text: must be a string of 1 to 16 characters",
  ],
  ["too short", '{"terminalId":7,"text":""}', "text: must be a string of 1 to 16 characters"],
  ["too long", `{"terminalId":7,"text":"${"a".repeat(17)}"}`],
  [
    "too long in bytes",
    `{"terminalId":7,"text":"${"é".repeat(9)}"}`,
    "text: must be at most 16 bytes of UTF-8",
  ],
  [
    "half a pair",
    '{"terminalId":7,"text":"a\\ud800"}',
    "text: must be Unicode text without U+0000",
  ],
  ["halves the wrong way round", '{"terminalId":7,"text":"\\udc00\\ud800"}'],
  ["NUL", '{"terminalId":7,"text":"a\\u0000"}', "text: must be Unicode text without U+0000"],
  ["unknown field", '{"terminalId":7,"text":"a","canary":1}', "body: has an unknown field"],
  ["__proto__", '{"terminalId":7,"text":"a","__proto__":{"x":1}}', "body: has an unknown field"],
  ["constructor", '{"terminalId":7,"text":"a","constructor":1}', "body: has an unknown field"],
  [
    "fraction in an unknown field",
    '{"terminalId":7,"text":"a","canary":1.5}',
    "body: has an unknown field",
  ],
  ["capital name", '{"TerminalId":7,"text":"a"}'],
];

describe("malformed bodies", () => {
  for (const [name, body, message] of malformedNotes) {
    test(name, async () => {
      const before = await world.notes();
      const refused = await refusal(await call(world, { token, body }));
      expect([refused.status, refused.error]).toEqual([400, "malformed_payload"]);
      if (message !== undefined) expect(refused.message).toBe(message);
      expect(refused.message).not.toContain("canary");
      expect(await world.notes()).toBe(before);
    });
  }

  test("paths go through arrays", async () => {
    const good = '{"cardId":"0123456789ab"}';
    const ask = async (items: string): Promise<string> =>
      (
        await refusal(
          await call(world, { token, path: "/api/batch", body: `{"items":[${items}]}` }),
        )
      ).message;
    expect(await ask(`${good},{"cardId":"0123456789AB"}`)).toBe(
      "items[1].cardId: must be 12 lowercase hex digits",
    );
    expect(await ask(`${good},${good},{}`)).toBe("items[2].cardId: is required");
    expect(await ask(`${good},{"cardId":"0123456789ab","secret":"x"}`)).toBe(
      "items[1]: has an unknown field",
    );
    expect(await ask("null")).toBe("items[0]: must be an object");
  });

  test("an escape that is no fault passes", async () => {
    for (const text of ["\\ud83d\\ude00", "\\\\u0000", "a\\n", "\\u00e9", '\\"1.5e3\\"']) {
      expect((await call(world, { token, body: `{"terminalId":7,"text":"${text}"}` })).status).toBe(
        201,
      );
    }
  });

  test("a call without a body takes nothing but an empty object", async () => {
    const path = "/api/notes/0123456789ab/clear";
    for (const body of ["[]", "null", '{"canary":1}', "{", "1"]) {
      expect((await refusal(await call(world, { token, path, body }))).status).toBe(400);
    }
    expect(
      (await refusal(await call(world, { token, path, body: "x", type: "text/plain" }))).status,
    ).toBe(415);
  });
});

describe("too many items", () => {
  const ask = async (items: readonly string[]) => {
    const response = await call(world, {
      token,
      path: "/api/batch",
      body: `{"items":[${items.join(",")}]}`,
    });
    return response.ok ? response.json() : refusal(response);
  };
  const good = '{"cardId":"0123456789ab"}';
  const many = (count: number): string[] => new Array<string>(count).fill(good);

  test("the limit passes, one more is its own code", async () => {
    expect(await ask(many(batchItemsMax))).toEqual({ count: batchItemsMax });
    expect(await ask(many(batchItemsMax + 1))).toMatchObject({
      status: 413,
      error: "batch_too_large",
    });
  });
  test("a wrong shape comes first, and is named where it stands", async () => {
    expect(await ask([...many(batchItemsMax + 3), '{"cardId":1}'])).toMatchObject({
      status: 400,
      message: `items[${batchItemsMax + 3}].cardId: must be 12 lowercase hex digits`,
    });
  });
});

describe("queries", () => {
  const ask = async (query: string) => {
    const response = await call(world, { token, method: "GET", path: `/api/notes${query}` });
    return response.ok ? response.json() : refusal(response);
  };
  const passing: readonly [string, number][] = [
    ["", 10],
    ["?", 10],
    ["?limit=1", 1],
    ["?limit=100", 100],
    ["?limit=%31", 1],
    ["?since=abc", 10],
    ["?since=1.5&limit=7", 7],
  ];
  for (const [query, limit] of passing) {
    test(`${query} passes`, async () => expect(await ask(query)).toEqual({ limit }));
  }
  const outOfRange = "query.limit: must be an integer from 1 to 100";
  const failing: readonly [string, string][] = [
    ["?limit=0", outOfRange],
    ["?limit=101", outOfRange],
    ["?limit=", outOfRange],
    ["?limit", outOfRange],
    ["?limit=01", outOfRange],
    ["?limit=+1", outOfRange],
    ["?limit=-1", outOfRange],
    ["?limit=1.0", outOfRange],
    ["?limit=1e1", outOfRange],
    ["?limit=0x1", outOfRange],
    ["?limit=%201", outOfRange],
    ["?limit=99999999999999999999", outOfRange],
    ["?limit=1&limit=1", "query.limit: is given more than once"],
    ["?limit=1&LIMIT=1", "query: has an unknown parameter"],
    ["?canary=1", "query: has an unknown parameter"],
    ["?__proto__=1", "query: has an unknown parameter"],
    ["?limit[]=1", "query: has an unknown parameter"],
    ["?since=123456789", "query.since: must be a string of at most 8 characters"],
  ];
  for (const [query, message] of failing) {
    test(`${query} does not`, async () => {
      expect(await ask(query)).toEqual({ status: 400, error: "malformed_payload", message });
    });
  }
  test("a call without parameters takes none", async () => {
    const refused = await refusal(
      await call(world, { token, path: "/api/notes/0123456789ab?x=1" }),
    );
    expect(refused.message).toBe("query: has an unknown parameter");
  });
});
