/**
 * A consistent copy of a live database by VACUUM INTO, run in a Worker so that the event loop goes on.
 * The Worker's program is text and not a file, because a compiled binary would need each worker file
 * as an entry point of its own. Rowids of tables without an INTEGER PRIMARY KEY may change in the copy.
 */
import { open } from "node:fs/promises";
import { unavailable } from "./failure.ts";

const program = `
import { Database } from "bun:sqlite";
const copy = (source, target) => {
  const db = new Database(source, { readonly: true });
  try {
    db.run("PRAGMA busy_timeout = 5000");
    db.run("VACUUM INTO ?1", [target]);
  } finally {
    db.close(true);
  }
};
self.onmessage = ({ data }) => {
  let failure;
  try {
    copy(data.source, data.target);
  } catch (error) {
    failure = String(error);
  }
  postMessage({ failure });
};
`;

/**
 * Copies the database file `source`, as of one instant, to `target`, which must not exist; mode 0600.
 * @throws StoreUnavailable the source cannot be read or the target not be written.
 */
export async function snapshot(source: string, target: string): Promise<void> {
  // VACUUM INTO takes an empty file as it is, and so with the mode that it has.
  await (await open(target, "wx", 0o600)).close();
  const url = URL.createObjectURL(new Blob([program], { type: "application/javascript" }));
  const worker = new Worker(url);
  try {
    const failure = await new Promise<string | undefined>((resolve) => {
      worker.onmessage = ({ data }: MessageEvent<{ failure?: string }>) => resolve(data.failure);
      worker.onerror = ({ message }) => resolve(message);
      worker.postMessage({ source, target });
    });
    if (failure !== undefined) throw unavailable(`no copy of ${source}: ${failure}`);
  } finally {
    worker.terminate();
    URL.revokeObjectURL(url);
  }
}
