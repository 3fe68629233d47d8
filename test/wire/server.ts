/** A server in a process of its own, as people run it, that strangers may register at. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "../crash/process.ts";

const env = {
  KARTU_REGISTRATION: "open",
  KARTU_RATE_PER_MIN: "0",
  KARTU_RATE_ADMIN_PER_MIN: "0",
  KARTU_RATE_AUTH_PER_MIN: "0",
};

export interface WireServer {
  readonly url: string;
  /** Its memory in bytes. */
  residentBytes(): Promise<number>;
  /** @throws if it told of an error */
  close(): Promise<void>;
}

export async function openWireServer(): Promise<WireServer> {
  const dataDir = mkdtempSync(join(tmpdir(), "kartu-wire-"));
  const child = serve(dataDir, undefined, { env });
  const url = await child.url();
  if (url === undefined) throw new Error(`no server: ${await child.ended()}`);
  return {
    url,
    residentBytes: async () => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return Number(/^process_resident_memory_bytes (\d+)/m.exec(text)?.[1]);
    },
    close: async () => {
      try {
        child.signal("SIGTERM");
        await child.ended();
      } finally {
        rmSync(dataDir, { recursive: true, force: true });
      }
    },
  };
}
