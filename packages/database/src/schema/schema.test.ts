import { getTableColumns } from "drizzle-orm";
import { getTableConfig } from "drizzle-orm/pg-core";
import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { schema } from "../internal.ts";

describeOnEveryEngine("the drizzle schema", (engine) => {
  it.each(Object.entries(schema))("matches the migrated table %s", async (_name, table) => {
    const { name, schema: namespace } = getTableConfig(table);
    const rows = await engine.database.query<{ name: string; type: string; required: boolean }>(
      `SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS required
         FROM pg_attribute
        WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped`,
      [`${namespace}.${name}`],
    );
    const columns = Object.values(getTableColumns(table)).map((column) => ({
      name: column.name,
      type: column.getSQLType().replace("timestamp (3) with", "timestamp(3) with"),
      required: column.notNull,
    }));
    const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name);
    expect(columns.sort(byName)).toEqual(rows.sort(byName));
  });

  it("reads through drizzle on this driver, inside transactions too", async () => {
    expect(await engine.database.orm.select().from(schema.streams)).toEqual([]);
    const found = await engine.database.transaction((transaction) =>
      transaction.orm.query.events.findMany({ limit: 1 }),
    );
    expect(found).toEqual([]);
  });
});
