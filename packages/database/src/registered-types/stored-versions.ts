import type { SqlSession } from "../connection/sql-session.ts";
import type { TypeDescription } from "./registered-definition.ts";

const VERSIONS = `
SELECT name, aggregate_type AS "aggregateType", description, json_schema AS schema, example
  FROM synap.registered_types
 WHERE name IN (SELECT jsonb_array_elements_text($1::text::jsonb))
 ORDER BY name, schema_version`;

/** All versions of the registered types among these names: by name, the oldest first. */
export async function storedVersions(
  session: Pick<SqlSession, "query">,
  names: readonly string[],
): Promise<ReadonlyMap<string, readonly Required<TypeDescription>[]>> {
  const rows = await session.query<Required<TypeDescription>>(VERSIONS, [JSON.stringify(names)]);
  const byName = new Map<string, Required<TypeDescription>[]>();
  for (const row of rows) byName.set(row.name, [...(byName.get(row.name) ?? []), row]);
  return byName;
}
