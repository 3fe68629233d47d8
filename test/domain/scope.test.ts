/** Scopes: their grammar, and that an application never has more than both it and its person may. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { covers, permissionCatalogue } from "../../src/domain/permission.ts";
import { beyond, given, isScope, meet, readScope, scopeLine } from "../../src/domain/scope.ts";

describe("the scope parameter", () => {
  const cases: [string, string | undefined, readonly string[] | undefined][] = [
    ["absent", undefined, []],
    ["empty", "", []],
    ["one", "openid", ["openid"]],
    ["twice the same", "a.b openid a.b", ["a.b", "openid"]],
    ["a wildcard", "money.* *", ["money.*", "*"]],
    ["two blanks", "a  b", undefined],
    ["a leading blank", " a", undefined],
    ["a quote", 'a"b', undefined],
    ["a backslash", "a\\b", undefined],
    ["a letter outside of ASCII", "é", undefined],
    ["200 words", Array.from({ length: 200 }, (_, i) => `s${i}`).join(" "), expect.any(Array)],
    ["201 words", Array.from({ length: 201 }, (_, i) => `s${i}`).join(" "), undefined],
  ];
  for (const [name, text, wanted] of cases) {
    test(name, () => expect(readScope(text)).toEqual(wanted as string[]));
  }
});

describe("scope ∩ held", () => {
  const cases: [string, string[], string[], string[]][] = [
    ["both exact", ["money.credit", "users.list"], ["money.credit"], ["money.credit"]],
    ["held is wider", ["money.credit"], ["money.*"], ["money.credit"]],
    ["the owner", ["money.credit", "users.*"], ["*"], ["money.credit", "users.*"]],
    ["asked is wider", ["money.*"], ["money.credit", "users.list"], ["money.credit"]],
    ["everything asked", ["*"], ["money.*", "users.list"], ["money.*", "users.list"]],
    ["nothing held", ["*"], [], []],
    ["personal words are no permission", ["openid", "profile"], ["*"], []],
    ["system is never in it", ["system.clock", "system.*"], ["*", "system.*"], []],
  ];
  for (const [name, scopes, held, both] of cases) {
    test(name, () => expect(meet(scopes, held)).toEqual(both));
  }

  test("never more than either side", () => {
    const names = permissionCatalogue.map(({ name }) => name);
    const grants = fc.constantFrom(...names, "*", "money.*", "fleet.*", "fleet.cards.*", "users.*");
    const lists = fc.array(grants, { maxLength: 6 });
    fc.assert(
      fc.property(lists, lists, (scopes, held) => {
        const both = meet(scopes, held);
        for (const name of names) {
          const wanted = covers(scopes, name) && covers(held, name);
          expect(covers(both, name)).toBe(wanted);
        }
      }),
      { numRuns: 100 },
    );
  });
});

test("what the application was not registered for", () => {
  const registered = ["money.*", "users.list"];
  const asked = ["openid", "email", "money.credit", "users.list", "users.create", "*"];
  expect(beyond(asked, registered)).toEqual(["users.create", "*"]);
});

test("what is given: personal words, and of the rest what is held", () => {
  const asked = ["openid", "money.credit", "users.list"];
  expect(given(asked, ["money.*"])).toEqual(["openid", "money.credit"]);
});

test("what an application may be registered with", () => {
  for (const good of ["openid", "money.credit", "money.*", "*", "shop.order.read"]) {
    expect(isScope(good)).toBe(true);
  }
  for (const bad of ["", "money", "money.nothing", "Money.credit", "openid2"]) {
    expect(isScope(bad)).toBe(false);
  }
});

test("each scope has a line for a person", () => {
  expect(scopeLine("openid")).toBe("Know who you are");
  expect(scopeLine("users.list")).toBe("See users and invitations");
  expect(scopeLine("money.*")).toBe("Everything that you may do under money");
  expect(scopeLine("*")).toBe("Everything that you may do");
  expect(scopeLine("shop.order.read")).toBe("Use shop.order.read");
});
