/**
 * Run as a process of its own: turns OpenAPI documents into TypeScript (openapi-typescript). That one
 * wants the compiler's older interface under the newer one's name. Arguments: pairs of document, output.
 */
import { plugin } from "bun";

plugin({
  name: "the compiler's interface before version 7",
  setup: (build) => {
    build.module("typescript", async () => {
      const older = await import("@typescript/typescript6");
      return { exports: { ...older, default: older.default }, loader: "object" };
    });
  },
});

// Only now, or it would find the newer one.
const { default: generate, astToString } = await import("openapi-typescript");
const paths = process.argv.slice(2);
for (let at = 0; at < paths.length; at += 2) {
  const document = (await Bun.file(paths[at]!).json()) as Parameters<typeof generate>[0];
  await Bun.write(paths[at + 1]!, astToString(await generate(document)));
}
