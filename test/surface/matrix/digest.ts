/** What a tenant has in the tables, to see that nothing of it moved. */

interface Tables {
  rows<R>(sql: string): Promise<R[]>;
}

/** The rows of a tenant, by table, each as a digest. */
export async function digestsOf(tables: Tables, tenantNo: number): Promise<Record<string, string>> {
  const named = await tables.rows<{ name: string }>(
    `SELECT t.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c
     WHERE t.type = 'table' AND c.name = 'tenant_id' ORDER BY t.name`,
  );
  const digests: Record<string, string> = {};
  for (const { name } of named) {
    const rows = await tables.rows(`SELECT * FROM ${name} WHERE tenant_id = ${tenantNo}`);
    const text = JSON.stringify(rows, (_, value) =>
      value instanceof Uint8Array ? value.toHex() : (value as unknown),
    );
    digests[name] = Bun.SHA256.hash(text, "hex");
  }
  return digests;
}
