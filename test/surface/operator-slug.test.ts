/**
 * Every slug of the contract's list is raised once, by a call that is refused with it, and what was
 * answered is what the slug's page says. Status and retry are written down beside the calls.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { problems } from "../../schema/problem.ts";
import { Estate } from "./estate.ts";
import { fleetRaises } from "./raise/fleet.ts";
import { iamRaises } from "./raise/iam.ts";
import { mannerRaises } from "./raise/manner.ts";
import { moneyRaises } from "./raise/money.ts";
import type { Raises, Stage } from "./raise/raise.ts";
import { Refusal } from "./refusal.ts";

const raises: Raises = { ...mannerRaises, ...iamRaises, ...moneyRaises, ...fleetRaises };

/** Of what is not built yet: nothing raises them, and no call says that it does. */
const unbuilt = [
  // billing
  ...[
    "plan-limit-exceeded",
    "subscription-suspended",
    "subscription-terminated",
    "billing-disabled",
  ],
  "limits-unavailable",
  // modules and their gateway
  ...["module-not-installed", "model-change-destructive", "upstream-error", "upstream-timeout"],
  ...["circuit-open", "target-not-allowed"],
  // files, notify, events
  ...["upload-incomplete", "file-deleted", "file-destroyed", "file-too-large", "file-rejected"],
  ...["image-unprocessable", "staging-limit", "unknown-channel", "reserved-name"],
  "event-not-declared",
];

const open: Estate[] = [];

async function stage(config: Readonly<Record<string, string>>): Promise<Stage> {
  const estate = await Estate.open({ config });
  open.push(estate);
  return { estate, house: await estate.house(), other: stage };
}

let main: Stage;
beforeAll(async () => {
  main = await stage({});
});
afterAll(async () => {
  for (const estate of open.splice(0)) await estate.close();
});

test("every slug is raised here, or by nothing yet", () => {
  const known = [...Object.keys(raises), ...unbuilt];
  expect(known.filter((slug, at) => known.indexOf(slug) !== at)).toEqual([]);
  expect(known.sort()).toEqual(Object.keys(problems).sort());
});

describe("raised, and as its page says:", () => {
  for (const [slug, [status, retry, raise]] of Object.entries(raises)) {
    test(slug, async () => {
      const refusal = await Refusal.of(await raise(main));
      expect([refusal.slug, refusal.body.status]).toEqual([slug, status]);
      const { pathname } = new URL(refusal.body.type);
      expect(pathname).toBe(`/problems/${slug}`);
      const { estate } = main;
      const headers = { accept: "application/json" };
      const page = await estate.send("GET", pathname, { headers }, true);
      expect(await page.json()).toEqual({
        ...{ slug, title: refusal.body.title, status, retry },
        when: expect.stringMatching(/\S/),
      });
      const html = await estate.send("GET", pathname, {}, true);
      expect(html.headers.get("content-type")).toStartWith("text/html");
      expect(await html.text()).toContain(refusal.body.title);
    });
  }
});
