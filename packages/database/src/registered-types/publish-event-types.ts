import { createHash } from "node:crypto";
import type { EarlierVersion, EventTypeDefinition } from "@synap/types";
import { formatPath } from "@synap/types/internal";
import { compileCheck } from "../check-plan/compile-check.ts";
import type { SqlSession } from "../connection/sql-session.ts";

// Sorted, so that processes that start together don't deadlock.
const PUBLISH = `
INSERT INTO synap.event_types AS kept
       (name, aggregate_type, description, json_schema, example, check_plan, check_of, unchecked, release, schema_version,
        earlier, registered)
SELECT t.name, t."aggregateType", t.description, t."jsonSchema", t.example, t."checkPlan", t."checkOf", t.unchecked, $2,
       t.version, t.earlier, $3
  FROM json_to_recordset($1::text::json) AS t(
    name text, "aggregateType" text, description text, "jsonSchema" json, example json, "checkPlan" jsonb, "checkOf" text,
    unchecked text, version integer, earlier jsonb
  )
 ORDER BY t.name COLLATE "C"
ON CONFLICT (name) DO UPDATE
   SET aggregate_type = EXCLUDED.aggregate_type,
       description = EXCLUDED.description,
       json_schema = EXCLUDED.json_schema,
       example = EXCLUDED.example,
       check_plan = EXCLUDED.check_plan,
       check_of = EXCLUDED.check_of,
       unchecked = EXCLUDED.unchecked,
       release = EXCLUDED.release,
       schema_version = EXCLUDED.schema_version,
       earlier = EXCLUDED.earlier,
       registered = EXCLUDED.registered,
       updated_at = now()
 WHERE kept.schema_version <= EXCLUDED.schema_version
   -- A registration that began before a process with the type in its code.
   AND (kept.registered OR NOT EXCLUDED.registered)
   AND (kept.aggregate_type, kept.description, kept.json_schema::text, kept.example::text, kept.check_plan, kept.check_of,
        kept.unchecked, kept.schema_version, kept.earlier, kept.registered)
       IS DISTINCT FROM
       (EXCLUDED.aggregate_type, EXCLUDED.description, EXCLUDED.json_schema::text, EXCLUDED.example::text, EXCLUDED.check_plan,
        EXCLUDED.check_of, EXCLUDED.unchecked, EXCLUDED.schema_version, EXCLUDED.earlier, EXCLUDED.registered)
RETURNING name`;

/** The origin of event types. */
export interface PublishedFrom {
  /** Recorded with each changed type. */
  readonly release: string;
  /** True if they are registered, and not in code. */
  readonly isRegistered: boolean;
}

/**
 * Writes event types into `synap.event_types`, each with the plan by which the database checks its data. A newer version is kept, and a type of the code where
 * this one is registered. Until the end of the transaction nobody else can write a type of these names.
 *
 * @returns the names of the types that were new or had changed, sorted
 */
export async function publishEventTypes(
  session: SqlSession,
  types: readonly EventTypeDefinition[],
  { release, isRegistered }: PublishedFrom,
): Promise<string[]> {
  const rows = await session.query<{ name: string }>(PUBLISH, [
    JSON.stringify(types.map(toRow)),
    release,
    isRegistered,
  ]);
  return rows.map((row) => row.name).sort();
}

function toRow(type: EventTypeDefinition) {
  const { name, aggregateType, description, version, earlier, jsonSchema, example } = type;
  const { plan, obstacle } = checkOf(type);
  return {
    name,
    aggregateType,
    description,
    jsonSchema,
    example,
    checkPlan: plan,
    // An older release that changes the schema leaves the plan as it is.
    checkOf: createHash("sha256").update(JSON.stringify(jsonSchema)).digest("hex"),
    unchecked: obstacle,
    version,
    earlier: earlier.map(describeEarlier),
  };
}

/** The plan by which the database checks data. It can't seal: events with personal values come by code only. */
function checkOf({ schema, personal }: Pick<EarlierVersion, "schema" | "personal">) {
  const [field] = personal;
  if (field === undefined) return compileCheck(schema);
  const path = formatPath(["data", ...field.path]);
  return { plan: undefined, obstacle: `${path}: it is personal, and sealing it takes code` };
}

function describeEarlier(version: EarlierVersion) {
  const { jsonSchema } = version;
  const { plan, obstacle } = checkOf(version);
  return { jsonSchema, checkPlan: plan ?? null, unchecked: obstacle ?? null };
}
