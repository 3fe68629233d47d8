/** Permissions: what a grant covers, what nobody may give, and which names grant anything. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  builtInRoles,
  covers,
  coversAll,
  escalation,
  isGrant,
  permissionCatalogue,
  permissionFaults,
} from "../../src/domain/permission.ts";

const names = permissionCatalogue.map(({ name }) => name);
const owned = names.filter((name) => !name.startsWith("system."));

describe("covers", () => {
  const cases: [held: string[], wanted: string, isCovered: boolean][] = [
    [["users.list"], "users.list", true],
    [["users.list"], "users.create", false],
    [["users.*"], "users.list", true],
    [["users.*"], "users.*", true],
    [["users.*"], "usersx.list", false],
    [["fleet.*"], "fleet.cards.block", true],
    [["fleet.*"], "fleet.cards.*", true],
    [["fleet.cards.*"], "fleet.*", false],
    [["*"], "fleet.cards.block", true],
    [["*"], "*", true],
    [["users.list", "users.create"], "users.*", false],
    [["*"], "system.clock", false],
    [["*"], "system.*", false],
    [["system.clock"], "system.clock", false],
    [["billing.change"], "billing.plan.change", true],
    [["billing.plan.change"], "billing.change", false],
    [["crm.contacts.*"], "crm.contacts.read", true],
    [[], "users.list", false],
  ];
  for (const [held, wanted, isCovered] of cases) {
    test(`${held.join(" ") || "nothing"} ${isCovered ? "covers" : "does not cover"} ${wanted}`, () => {
      expect(covers(held, wanted)).toBe(isCovered);
      expect(coversAll(held, [wanted])).toBe(isCovered);
      expect(escalation(held, [wanted])).toEqual(isCovered ? [] : [wanted]);
    });
  }

  test("system.* is the Platform Owner's alone, whatever is held", () => {
    for (const wanted of ["system.clock", "system.*", "system.plans"]) {
      expect(covers([], wanted, true)).toBe(true);
      expect(covers(["*", "system.*", wanted], wanted, false)).toBe(false);
    }
  });

  test("what one holder may give, whoever holds more may give too", () => {
    const grant = fc.constantFrom("*", "users.*", "fleet.*", "fleet.cards.*", ...owned);
    fc.assert(
      fc.property(fc.array(grant), fc.array(grant), fc.array(grant), (held, more, wanted) => {
        if (escalation(held, wanted).length > 0) return;
        expect(escalation([...held, ...more], wanted)).toEqual([]);
      }),
    );
  });

  test("giving on never goes beyond the giver", () => {
    const grant = fc.constantFrom("*", "users.*", "fleet.*", "fleet.cards.*", "users.list");
    fc.assert(
      fc.property(fc.array(grant), grant, fc.constantFrom(...owned), (held, given, used) => {
        if (covers(held, given) && covers([given], used)) expect(covers(held, used)).toBe(true);
      }),
    );
  });
});

describe("names that grant", () => {
  for (const text of [
    "*",
    "users.*",
    "fleet.cards.*",
    "crm.*",
    "crm.contacts.*",
    "crm.contacts.read",
  ]) {
    test(`${text} does`, () => expect(isGrant(text)).toBe(true));
  }
  test("so does every one of the list, and each is described once", () => {
    expect(names.filter((name) => !isGrant(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
    expect(permissionCatalogue.every(({ description }) => description.length > 3)).toBe(true);
  });
  for (const text of [
    "",
    "users",
    "users.print",
    "fleet.*.read",
    "**",
    "crm.read",
    "a.b.c.d",
    "Users.list",
    "users.",
    "money.x.y",
    "users.list.*",
  ]) {
    test(`"${text}" does not`, () => {
      expect(isGrant(text)).toBe(false);
      expect(permissionFaults(["*", text])).toMatchObject([
        { field: "permissions[1]", code: "NOT_ALLOWED" },
      ]);
    });
  }
});

test("owner and admin hold all but system.*, member nothing", () => {
  for (const { name, permissions } of builtInRoles) {
    const held = owned.filter((each) => covers(permissions, each));
    expect(held).toEqual(name === "member" ? [] : owned);
    expect(covers(permissions, "system.clock")).toBe(false);
  }
});
