/** The pages behind mailed links: shown to anybody, changing nothing, running their own script alone. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { linkPaths } from "../../src/domain/letter.ts";
import { foundations } from "./foundation.ts";
import { type House, house, verdict } from "./house.ts";

const open = foundations();
let home: House;
beforeEach(async () => {
  home = await house(await open());
});
afterEach(() => home.close());

for (const path of new Set(Object.values(linkPaths))) {
  test(`GET ${path}`, async () => {
    const answer = await home.world("GET", `${path}?token=in_x`, { isWhole: true });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
    const policy = answer.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    for (const tag of ["script", "style"]) {
      const text = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(answer.text)?.[1] ?? "";
      const hash = new Bun.CryptoHasher("sha256").update(text).digest("base64");
      expect(policy).toContain(`${tag}-src 'sha256-${hash}'`);
    }
    expect(answer.text).not.toContain("in_x");
    expect(answer.text).not.toMatch(/https?:\/\//);
  });
}

test("opening the page of an invitation does not spend it", async () => {
  await home.call("POST", "/invitations", { email: "siti@example.com" });
  const token = await home.tokenTo("siti@example.com");
  await home.world("GET", `/accept-invite?token=${token}`, { isWhole: true });
  expect(verdict(await home.accept(token))).toBe("200");
});
