/** Which Kartu this is. A compiled binary carries its commit; run from source, the tree says it. */
import { version } from "../../package.json" with { type: "json" };

declare const KARTU_COMMIT: string;

export const kartuVersion: string = version;
/** Twelve digits of the commit that the binary was built from, or "source". */
export const kartuCommit: string = typeof KARTU_COMMIT === "string" ? KARTU_COMMIT : "source";
