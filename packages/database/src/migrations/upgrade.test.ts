import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seedCatalogue } from "@synap/types";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase, testEngines } from "../../testing/index.ts";
import { logFingerprint } from "../../testing/log-fingerprint.ts";
import { noteEvents } from "../../testing/test-events.ts";
import { compressEvents } from "../compression/compress-events.ts";
import { migrate } from "../index.ts";
import { createEventStore } from "../internal.ts";
import { SQL_DIRECTORY } from "./migration-files.ts";

const DAY_MS = 86_400_000;
/** The tables that the upgrade adds. */
const ADDED: ReadonlySet<string> = new Set([
  "amendments",
  "api_keys",
  "archived_blocks",
  "archived_chunks",
  "archived_chunks_number_seq",
  "archived_digests",
  "archived_keys",
  "archived_ranges",
  "chain_blocks",
  "chain_end",
  "chain_verifications",
  "chain_verifications_id_seq",
  "chained_chunks",
  "epochs",
  "erasures",
  "inline_consumers",
  "pseudonym_key",
  "purged_events",
  "purges",
  "read_horizon",
  "registered_types",
  "retention_policies",
  "retention_policies_id_seq",
  "sessions",
  "sign_in_links",
  "sinks",
  "sql_principals",
  "subject_holds",
  "subject_keys",
]);

/** Stores new events of a stream each, as the append functions of that release did. */
const STORE = `
WITH given AS (
  SELECT a.number * 1024 + e.place - 1 AS "position", a.number, e.*
    FROM (SELECT synap.take_append_number() AS number) AS a
   CROSS JOIN ROWS FROM (
           jsonb_to_recordset($1::text::jsonb) AS (
             id uuid, type text, "aggregateType" text, "aggregateId" text, "userId" text, "createdBy" text, source text,
             "timestamp" timestamptz(3), data jsonb)
         ) WITH ORDINALITY AS e(id, type, stream_type, stream_id, user_id, created_by, source, "timestamp", data, place)
), streams AS (
  INSERT INTO synap.streams (aggregate_type, aggregate_id, version, first_timestamp, last_timestamp)
  SELECT stream_type, stream_id, 1, "timestamp", "timestamp" FROM given
), ids AS (
  INSERT INTO synap.event_ids SELECT id, "timestamp", "position", 1 FROM given
), appends AS (
  INSERT INTO synap.appends
  SELECT number, max("position"), count(*), min("timestamp"), max("timestamp"), now() FROM given GROUP BY number
)
INSERT INTO synap.events (
  "position", stream_version, "timestamp", recorded_at, id, version, type, aggregate_type, aggregate_id, user_id, created_by,
  source, data)
SELECT "position", 1, "timestamp", now(), id, 'v1', type, stream_type, stream_id, user_id, created_by, source, data FROM given`;

describe.each(testEngines())("a log of an earlier release (%s)", (engine) => {
  let test: TestDatabase;
  let earlier: string;
  beforeEach(async () => {
    test = await createTestDatabase(engine, "empty");
    earlier = await mkdtemp(join(tmpdir(), "synap-earlier-"));
    await cp(SQL_DIRECTORY, earlier, { recursive: true });
    const tables = join(earlier, "tables");
    for (const name of await readdir(tables)) if (name >= "0020") await rm(join(tables, name));
    const views = join(earlier, "views");
    for (const name of await readdir(views))
      if (/_of_(user|creator)|^own_|amendments/.test(name)) await rm(join(views, name));
    const rows = join(views, "event_rows.sql");
    await writeFile(rows, (await readFile(rows, "utf8")).replace(", e.schema_version", ""));
    const functions = join(earlier, "functions");
    const number = join(functions, "take_append_number.sql");
    await writeFile(
      number,
      (await readFile(number, "utf8")).replace("PERFORM synap.follow_history()", "NULL"),
    );
    for (const name of await readdir(functions)) {
      const file = join(functions, name);
      if (
        /synap\.(check_(issue|task|choice)|rule_issues|chain_blocks|purged_events|event_digest|sql_principals|epochs|archived_\w+)\b|\bsynap_visible\./.test(
          await readFile(file, "utf8"),
        )
      )
        await rm(file);
    }
  });
  afterEach(async () => {
    await test.drop();
    await rm(earlier, { recursive: true, force: true });
  });

  it("is migrated with its compressed days, keeps every event, and takes further ones", async () => {
    const { database } = test;
    await migrate(database, { directory: earlier });
    expect(await actorIndexes()).toEqual(['(created_by, "position")']);
    const events = noteEvents(40, (index) => ({
      timestamp: new Date(Date.now() - (index % 4) * 10 * DAY_MS).toISOString(),
      createdBy: index % 3 === 0 ? "system" : "user:ada",
      userId: "ada",
    }));
    await database.asOwner((owner) => owner.query(STORE, [JSON.stringify(events)]));
    if (database.capabilities.edition === "community") {
      const compressed = await compressEvents(database, { before: new Date(Date.now() - 5 * DAY_MS) });
      expect(compressed).toHaveLength(3);
    }
    const before = await fingerprint();

    const { applied } = await migrate(database);
    expect(applied[0]).toBe("0020_drop_actor_index.sql");
    expect(await actorIndexes()).toEqual([
      `(created_by, ((- "position"))) WHERE (created_by IS DISTINCT FROM ('user:'::text || user_id))`,
    ]);
    expect(await fingerprint()).toEqual(before);
    const owners = await database.query(
      "SELECT user_id, created_by, count(*) FROM synap.streams GROUP BY 1, 2 ORDER BY 2",
    );
    expect(owners).toEqual([
      { user_id: "ada", created_by: "system", count: 14 },
      { user_id: "ada", created_by: "user:ada", count: 26 },
    ]);
    const store = createEventStore({ database, catalogue: seedCatalogue });
    expect(await store.appendBatch(events, { timestamps: "backfill" })).toEqual(
      events.map(() => expect.objectContaining({ status: "duplicate" })),
    );
    const [late] = await store.appendBatch(
      noteEvents(1, () => ({ timestamp: events[3]?.timestamp ?? "" })),
      {
        timestamps: "backfill",
      },
    );
    expect(late).toMatchObject({ status: "stored" });
  });

  /** The log without the versions of events, the owners of streams and the tables and triggers that the upgrade adds. */
  async function fingerprint(): Promise<object> {
    const text = (await logFingerprint(test.database)) ?? "{}";
    const log: { tables: [string, ...unknown[]][]; triggers: string[] } = JSON.parse(
      text
        .replaceAll(/,"user_id":(?:null|"[^"]*"),"created_by":(?:null|"[^"]*")\}/g, "}")
        .replaceAll(',"schema_version":null}', "}")
        .replaceAll(/,synap_sql_own=r\/\w+/g, ""),
    );
    return {
      ...log,
      tables: log.tables.filter(([name]) => !ADDED.has(name)),
      triggers: log.triggers.filter((name) => !name.startsWith("purged_")),
    };
  }

  /** The indexes of actors, of the hypertable and of its chunks: each definition once. */
  async function actorIndexes(): Promise<string[]> {
    const rows = await test.database.query<{ definition: string }>(`
      SELECT DISTINCT regexp_replace(pg_get_indexdef(indexrelid), '^.* USING btree ', '') AS definition
        FROM pg_index
       WHERE indexrelid::regclass::text LIKE '%events_actor'`);
    return rows.map(({ definition }) => definition);
  }
});
