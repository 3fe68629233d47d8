/**
 * What anybody may send to the operator surface that is wrong, each thing alone, to every operation: the
 * answer names the field and the code that belong to it and says nothing of what was sent; nothing is
 * stored; and nothing that can be sent makes the server stumble.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { takesBody, takesKey } from "../../src/http/platform/slugs.ts";
import { querySchemaOf } from "../../src/http/platform/surface.ts";
import { Estate } from "./estate.ts";
import type { House } from "./house.ts";
import type { Knock } from "./knock/knock.ts";
import { changed, type Instead, lost, parts, send, unless, walk } from "./knock/send.ts";
import { type Door, doorsOf } from "./knock/table.ts";
import { canary, wrongBytes, wrongTexts } from "./malform.ts";
import { wrongMembers, wrongQueries } from "./operator-malform.ts";
import { Refusal } from "./refusal.ts";

let estate: Estate;
let house: House;
let doors: Door[];
let before: Record<string, string>;
const kept = new Map<string, Knock>();

const knockOf = ({ name }: Door): Knock => {
  const knock = kept.get(name);
  if (knock === undefined) throw new Error(`no knock at ${name}`);
  return knock;
};

beforeAll(async () => {
  estate = await Estate.open();
  house = await estate.house();
  doors = doorsOf(estate);
  for (const door of doors) kept.set(door.name, await door.row.make(house));
  before = await estate.everything();
});
afterAll(() => estate.close());

/** The refusal of a wrong call, as `400 validation-error email INVALID_FORMAT`. */
async function refused(door: Door, instead: Instead): Promise<string> {
  const response = await send(door, knockOf(door), house, instead);
  if (response.status < 400) {
    await response.body?.cancel();
    return String(response.status);
  }
  const { outcome, errors, text } = await Refusal.of(response);
  const all = `${text}${JSON.stringify([...response.headers])}`;
  if (all.includes(canary)) return `${outcome} echoes what was sent: ${all}`;
  return [outcome, ...errors].join(" ");
}

const takers = (): Door[] => doors.filter(({ route }) => takesBody(route));
const isForm = ({ route }: Door): boolean => route.media === "form";
const asked = (): Door[] =>
  takers().filter((door) => door.route.contract.body !== undefined && !isForm(door));
const nothingMoved = async (): Promise<void> => expect(await changed(estate, before)).toEqual([]);

/** Looks at many wrong calls of each door. */
const each = (
  some: readonly Door[],
  wrongs: (door: Door) => Iterable<readonly [name: string, instead: Instead, expected: string]>,
): Promise<string[]> =>
  walk(some, async (door) => {
    for (const [name, instead, expected] of wrongs(door)) {
      const wrong = unless(await refused(door, instead), expected, name);
      if (wrong !== null) return wrong;
    }
    return null;
  });

describe("a body", () => {
  test("with one wrong member names its field and code", async () => {
    let count = 0;
    const complaints = await each(asked(), function* (door) {
      const { body: schema } = door.route.contract;
      if (schema === undefined) return;
      for (const { name, text, error } of wrongMembers(schema, knockOf(door).body ?? {})) {
        count += 1;
        yield [name, { body: text }, `400 validation-error ${error}`];
      }
    });
    expect(complaints).toEqual([]);
    expect(count).toBeGreaterThan(1_000);
    await nothingMoved();
  });

  test("that is no object, or no JSON, is told so", async () => {
    const depthMax = 32;
    const depthOf = (text: string): number => {
      let deepest = 0;
      let depth = 0;
      for (const letter of text) {
        if (letter === "[" || letter === "{") deepest = Math.max(deepest, ++depth);
        else if (letter === "]" || letter === "}") depth--;
      }
      return deepest;
    };
    const isJson = (text: string): boolean => {
      try {
        JSON.parse(text);
        return depthOf(text) <= depthMax;
      } catch {
        return false;
      }
    };
    const complaints = await each(
      takers().filter((door) => !isForm(door)),
      function* (door) {
        const right = JSON.stringify(knockOf(door).body ?? { canary });
        for (const { name, text } of wrongTexts(right)) {
          if (name === "the body is an empty object") continue;
          // Where the parser gives up does not depend on the call.
          if (text.length > 100_000 && door !== doors.find(({ route }) => takesBody(route)))
            continue;
          const expected = isJson(text)
            ? "400 validation-error  INVALID_TYPE"
            : "400 malformed-json";
          yield [name, { body: text }, expected];
        }
        for (const [name, bytes] of wrongBytes(right)) {
          yield [name, { body: bytes }, "400 malformed-json"];
        }
      },
    );
    expect(complaints).toEqual([]);
    await nothingMoved();
  });

  test("that has a member twice is refused by that member", async () => {
    const complaints = await each(asked(), function* (door) {
      const [entry] = Object.entries(knockOf(door).body ?? {});
      if (entry === undefined) return;
      const [name, value] = entry;
      const again = `"${name}":${JSON.stringify(value)}`;
      const text = JSON.stringify(knockOf(door).body).replace("{", `{${again},`);
      yield [`${name} twice`, { body: text }, `400 validation-error ${name} DUPLICATE`];
    });
    expect(complaints).toEqual([]);
    await nothingMoved();
  });

  test("of another media type is 415", async () => {
    const types: Record<string, string>[] = [
      { "content-type": "text/plain" },
      { "content-type": `text/${canary}` },
      { "content-type": "multipart/form-data; boundary=x" },
      { "content-type": "application/json; charset=utf-16" },
      { "content-type": "application/json, text/plain" },
      { "content-type": "application/problem+json" },
      { "content-encoding": "gzip" },
    ];
    const complaints = await each(takers(), function* (door) {
      const own = isForm(door)
        ? [{ "content-type": "application/json" }, ...types.slice(0, -1)]
        : [{ "content-type": "application/x-www-form-urlencoded" }, ...types];
      for (const headers of own) {
        const body = isForm(door) ? "a=b" : "{}";
        yield [JSON.stringify(headers), { body, headers }, "415 unsupported-media-type"];
      }
    });
    expect(complaints).toEqual([]);
    await nothingMoved();
  });

  test("over the limit is 413, declared or in chunks; at the limit it is read", async () => {
    const limitBytes = 1_048_576;
    const chunks = (bytes: number): ReadableStream =>
      new ReadableStream({
        start: (controller) => {
          for (let left = bytes; left > 0; left -= 65_536) {
            controller.enqueue(Buffer.alloc(Math.min(left, 65_536), 32));
          }
          controller.close();
        },
      });
    const some = takers().filter(({ route }) => route.size === undefined);
    const complaints = await each(some, function* (door) {
      const type = isForm(door) ? "application/x-www-form-urlencoded" : "application/json";
      const headers = { "content-type": type };
      const tooLarge = "413 payload-too-large";
      yield ["declared", { body: " ".repeat(limitBytes + 1), headers }, tooLarge];
      yield ["in chunks", { body: chunks(limitBytes + 1), headers }, tooLarge];
      if (isForm(door)) return;
      const body = "[".padEnd(limitBytes, " ");
      yield ["at the limit", { body, headers }, "400 malformed-json"];
    });
    expect(complaints).toEqual([]);
    await nothingMoved();
  });
});

/** The call with a parameter in place of its own of that name. */
function withQuery(knock: Knock, query: string): Knock {
  const [path = "", own = ""] = knock.path.split("?");
  const name = query.slice(0, query.indexOf("="));
  const kept = own.split("&").filter((each) => each !== "" && !each.startsWith(`${name}=`));
  return { ...knock, path: `${path}?${[...kept, query].join("&")}` };
}

describe("a query", () => {
  test("with one wrong parameter names it and the code", async () => {
    let count = 0;
    const complaints = await walk(doors, async (door) => {
      const schema = querySchemaOf(door.route);
      if (schema === null || door.row.anyQuery) return null;
      for (const { query, error } of wrongQueries(schema)) {
        count += 1;
        const knock = withQuery(knockOf(door), query);
        const response = await estate.send(...parts(door, knock, house));
        if (response.status < 400) return `?${query}: ${response.status}`;
        const { outcome, errors, text } = await Refusal.of(response);
        if (text.includes(canary)) return `?${query}: echoes what was sent`;
        const wrong = unless(
          [outcome, ...errors].join(" "),
          `400 validation-error ${error}`,
          query,
        );
        if (wrong !== null) return wrong;
      }
      return null;
    });
    expect(complaints).toEqual([]);
    expect(count).toBeGreaterThan(150);
    await nothingMoved();
  });

  test("with a cursor that was made up, changed, or is another list's is 400 invalid-cursor", async () => {
    const lists = doors.filter(({ route }) => route.contract.list !== undefined);
    await Promise.all([house.role(), house.role()]);
    const first = await estate.ok<{ meta: { cursor: string } }>("GET", "/roles?limit=1", {
      token: house.owner,
    });
    const { cursor } = first.meta;
    const last = cursor.endsWith("A") ? "B" : "A";
    const complaints = await walk(lists, async (door) => {
      const others = door.name === "GET /roles" ? [] : [cursor];
      for (const each of ["x", canary, `${cursor.slice(0, -1)}${last}`, `${cursor}x`, ...others]) {
        const knock = withQuery(knockOf(door), `cursor=${each}`);
        const response = await estate.send(...parts(door, knock, house));
        const wrong = unless((await Refusal.of(response)).outcome, "400 invalid-cursor", each);
        if (wrong !== null) return wrong;
      }
      return null;
    });
    expect(complaints).toEqual([]);
    before = await estate.everything();
  });
});

describe("a header", () => {
  test("Idempotency-Key that is no UUID of version 4 or 7 is 400", async () => {
    const keys = [
      ...["1", canary, "00000000-0000-0000-0000-000000000000", "01971d3e7a007cc398c4dc0c0c07398f"],
      ...["01971d3e-7a00-1cc3-98c4-dc0c0c07398f", "01971d3e-7a00-7cc3-18c4-dc0c0c07398f"],
      "01971d3e-7a00-7cc3-98c4-dc0c0c07398f, 01971d3e-7a00-7cc3-98c4-dc0c0c07398f",
    ];
    const complaints = await each(
      doors.filter(({ route }) => takesKey(route)),
      function* () {
        for (const key of keys) {
          const headers = { "idempotency-key": key };
          yield [key, { headers }, "400 idempotency-key-invalid"];
        }
      },
    );
    expect(complaints).toEqual([]);
    await nothingMoved();
  });

  test("that nobody understands changes nothing", async () => {
    const odd = {
      accept: "application/x-nothing",
      "x-request-id": "' OR 1=1 --",
      traceparent: `00-${"z".repeat(32)}-${"0".repeat(16)}-zz`,
      "if-none-match": canary,
      range: "bytes=0-1",
      "x-http-method-override": "DELETE",
      "x-forwarded-for": "203.0.113.1, ::1, canary",
      "accept-language": canary,
      prefer: "return=minimal",
    };
    const reads = doors.filter(({ route, row }) => route.method === "GET" && row.answers === "200");
    const complaints = await walk(reads, async (door) => {
      // A request that says it was passed on is never loopback, and metrics are loopback's.
      if (door.name === "GET /metrics") return null;
      const response = await send(door, knockOf(door), house, { headers: odd });
      const type = response.headers.get("content-type");
      if (type?.startsWith("text/event-stream")) {
        await response.body?.cancel();
        return null;
      }
      const text = await response.text();
      return text.includes(canary) ? "echoes a header" : unless(String(response.status), "200");
    });
    expect(complaints).toEqual([]);
    // Asking for consent is a read that is written down.
    before = await estate.everything();
  });
});

describe("an id in a path", () => {
  test("that is none, or nobody's, is 404", async () => {
    const wrong = [
      ...[
        canary,
        "0",
        "-1",
        "%00",
        "%zz",
        "null",
        "undefined",
        "..%2f..%2fetc",
        "%E2%82%AC",
        "' OR 1=1 --",
      ],
      ...["01936D7A-0000-7000-8000-00000000DEAD", "01936d7a-0000-7000-8000-00000000dead"],
      ...["01936d7a00007000800000000000dead", "01936d7a-0000-7000-8000-00000000dead%0a"],
      ...["%2001936d7a-0000-7000-8000-00000000dead", "x".repeat(2_000)],
    ];
    const placed = doors.filter(({ route, row }) => route.path.includes(":") && !row.shared);
    const complaints = await walk(placed, async (door) => {
      const knock = knockOf(door);
      for (const id of wrong) {
        const response = await estate.send(...parts(door, lost(knock, id), house));
        const { outcome } = await Refusal.of(response);
        const complaint = unless(outcome, "404 not-found", id);
        if (complaint !== null) return complaint;
      }
      return null;
    });
    expect(complaints).toEqual([]);
    await nothingMoved();
  });
});

describe("nothing that is sent makes the server stumble:", () => {
  test("hostile texts in every member and parameter", async () => {
    const texts = [
      ...[
        "' OR 1=1 --",
        '"; DROP TABLE tenant; --',
        "{{7*7}}",
        "${7*7}",
        "<script>alert(1)</script>",
      ],
      ...[
        "../../etc/passwd",
        "%00",
        "\u202e\u2066",
        "\u{1f468}\u200d\u{1f469}",
        "a\r\nSet-Cookie: a=b",
      ],
      ...[
        "=cmd|' /C calc'!A0",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "*",
        "a@b",
        "\u00df@x.\u00df",
      ],
      ...["9".repeat(400), "\u0130", "NaN", "1e999", "x".repeat(20_000)],
    ];
    const complaints = await walk(asked(), async (door) => {
      const { body = {} } = await door.row.make(house);
      const names = Object.keys((door.route.contract.body?.properties ?? {}) as object);
      for (const name of names) {
        for (const text of texts) {
          const response = await send(door, knockOf(door), house, {
            body: { ...body, [name]: text },
          });
          await response.body?.cancel();
          if (response.status >= 500) return `${response.status} for ${name} ${text.slice(0, 30)}`;
        }
      }
      return null;
    });
    expect(complaints).toEqual([]);
    expect(estate.faults).toEqual([]);
  });

  test("bodies of any make", async () => {
    const other = await estate.house();
    for (const door of takers()) {
      const knock = await door.row.make(other);
      const names = Object.keys((door.route.contract.body?.properties ?? {}) as object);
      const member = fc.oneof(fc.constantFrom("a", ...names), fc.string());
      const body = fc.oneof(fc.jsonValue(), fc.dictionary(member, fc.jsonValue()));
      await fc.assert(
        fc.asyncProperty(body, async (value) => {
          const text = JSON.stringify(value);
          const headers = {
            "content-type": isForm(door) ? "application/x-www-form-urlencoded" : "application/json",
          };
          const response = await send(door, knock, other, { body: text, headers });
          await response.body?.cancel();
          expect([door.name, response.status < 500]).toEqual([door.name, true]);
        }),
        { numRuns: 30, seed: 4 },
      );
    }
    expect(estate.faults).toEqual([]);
  });
});
