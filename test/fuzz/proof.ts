/**
 * What is proved of a server when hostile calls have had their way with it: the ledger, every chain and
 * copy, and that a tenant that nobody belonged to is as it was.
 */
import { join } from "node:path";
import { databaseName } from "../../src/app.ts";
import { openReader } from "../../src/store/reader.ts";
import { entrySums, proveHeads } from "../books.ts";
import type { Estate } from "../surface/estate.ts";
import type { Witness } from "./cast.ts";

const faultsMax = 5;

/** @param before the rows of the witness when nobody had called yet */
export async function faultsOf(
  estate: Estate,
  witness: Witness,
  before: Readonly<Record<string, string>>,
): Promise<string[]> {
  const { kartu, dataDir } = estate;
  const wrong: string[] = [];
  await kartu.mail.idle();
  for (const [table, rows] of Object.entries(await witness.rows(estate))) {
    if (rows === before[table]) continue;
    wrong.push(`of another tenant ${table} was changed: ${before[table]} \u2192 ${rows}`);
  }
  for (const { tenantId } of await kartu.tenant.listTenants()) {
    const sums = await entrySums(kartu.store, tenantId);
    const sum = [...sums.values()].reduce((all, each) => all + each, 0);
    if (sum !== 0) wrong.push(`the entries of tenant ${tenantId} sum to ${sum}`);
  }
  await proveHeads(kartu.store).catch((error: unknown) => void wrong.push(String(error)));
  const file = openReader(join(dataDir, databaseName));
  const { faults } = await file.scan((q) => kartu.verify.verify(q));
  await file.close();
  for (const fault of faults.slice(0, faultsMax)) wrong.push(`verify: ${JSON.stringify(fault)}`);
  return wrong;
}
