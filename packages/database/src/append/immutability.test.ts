import { seedCatalogue } from "@synap/types";
import { beforeAll, expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { noteEvents } from "../../testing/test-events.ts";
import { createEventStore } from "../internal.ts";

describeOnEveryEngine("events, once stored,", (engine) => {
  beforeAll(async () => {
    const store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
    await store.appendBatch(noteEvents(3));
  });

  const changes = [
    "UPDATE synap.events SET type = 'note.deletion.completed'",
    "DELETE FROM synap.events",
    "TRUNCATE synap.events",
    'INSERT INTO synap.events SELECT * FROM synap.events ON CONFLICT ("timestamp", "position") DO UPDATE SET type = \'x\'',
  ];

  it.each(changes)("can't be changed by the application role: %s", async (change) => {
    await expect(engine.database.query(change)).rejects.toMatchObject({ code: "42501" });
  });

  it.each(changes)("can't be changed by the owner, because of the trigger: %s", async (change) => {
    await expect(engine.database.asOwner((tx) => tx.query(change))).rejects.toMatchObject({ code: "SY002" });
  });

  it("can't be changed by the owner in each chunk either", async () => {
    const [chunk] = await engine.database.query<{ name: string }>(
      "SELECT format('%I.%I', chunk_schema, chunk_name) AS name FROM timescaledb_information.chunks LIMIT 1",
    );
    for (const change of [`UPDATE ${chunk?.name} SET type = 'x'`, `DELETE FROM ${chunk?.name}`]) {
      await expect(engine.database.asOwner((tx) => tx.query(change))).rejects.toMatchObject({
        code: "SY002",
      });
      await expect(engine.database.query(change)).rejects.toMatchObject({ code: "42501" });
    }
  });

  it("can be deleted only by a purge, whose permission ends with its transaction", async () => {
    const purge = engine.database.asOwner(async (tx) => {
      await tx.query("SELECT set_config('synap.purge', 'on', true)");
      expect(await tx.query("DELETE FROM synap.events RETURNING id")).toHaveLength(3);
      throw new Error("not really");
    });
    await expect(purge).rejects.toThrow("not really");
    const remove = engine.database.asOwner((tx) => tx.query("DELETE FROM synap.events"));
    await expect(remove).rejects.toMatchObject({ code: "SY002" });
    const mine = engine.database.transaction(async (tx) => {
      await tx.query("SELECT set_config('synap.purge', 'on', true)");
      await tx.query("DELETE FROM synap.events");
    });
    await expect(mine).rejects.toMatchObject({ code: "42501" });
  });

  it.each([
    "UPDATE synap.streams SET version = 0",
    "UPDATE synap.streams SET closed_at = NULL",
    "DELETE FROM synap.streams",
    "INSERT INTO synap.streams SELECT * FROM synap.streams",
    "SELECT FROM synap.streams FOR UPDATE",
    "INSERT INTO synap.appends SELECT number + 1, 0, 1, now(), now(), now() FROM synap.appends",
    "UPDATE synap.appends SET count = 0",
    "INSERT INTO synap.event_ids SELECT gen_random_uuid(), now(), 1, 1",
    "DELETE FROM synap.event_ids",
    "INSERT INTO synap.idempotency_keys SELECT 'system', 'k', gen_random_uuid(), now(), 1, 1",
    "DELETE FROM synap.idempotency_keys",
    "INSERT INTO synap.events SELECT * FROM synap.events",
    "SELECT nextval('synap.append_sequence')",
    "SELECT setval('synap.append_sequence', 1)",
    "DELETE FROM synap.event_types",
    "DELETE FROM synap.migrations",
    "UPDATE synap.dead_letters SET event = '{}'",
    "UPDATE synap.dead_letters SET event_id = 'x'",
    "DELETE FROM synap.dead_letters",
    "UPDATE synap.parked_events SET event = '{}'",
    "SELECT synap.take_append_number()",
    "SET LOCAL session_replication_role = replica",
  ])("and the tables of the log can't be changed by the application role: %s", async (change) => {
    const attempt = engine.database.transaction((transaction) => transaction.query(change));
    await expect(attempt).rejects.toMatchObject({ code: "42501" });
  });

  it("are appended correctly whatever the caller's search path and temporary tables are", async () => {
    const store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
    const [event] = noteEvents(1);
    await engine.database.transaction(async (transaction) => {
      await transaction.execute(`
        CREATE TEMPORARY TABLE streams (LIKE synap.streams) ON COMMIT DROP;
        CREATE TEMPORARY TABLE pg_locks (a integer) ON COMMIT DROP;
        CREATE FUNCTION synap_read.steal(text, text) RETURNS boolean LANGUAGE plpgsql AS
          $$ BEGIN RAISE EXCEPTION 'ran as %', current_user; END $$;
        CREATE OPERATOR synap_read.= (LEFTARG = text, RIGHTARG = text, FUNCTION = synap_read.steal);
        CREATE FUNCTION synap_read.cardinality(integer[]) RETURNS integer LANGUAGE plpgsql AS
          $$ BEGIN RAISE EXCEPTION 'ran as %', current_user; END $$;
        SET LOCAL search_path = pg_temp, synap_read, pg_catalog;`);
      if (event === undefined) throw new Error("one event was made");
      expect(await store.append(event, { transaction })).toMatchObject({ status: "stored" });
      const stream = { aggregateType: event.aggregateType, aggregateId: event.aggregateId };
      expect(await store.append(event, { transaction })).toMatchObject({ status: "duplicate" });
      await store.closeStream(stream, "any", { transaction });
      await transaction.execute(
        "SET LOCAL search_path = synap_read, pg_catalog; DROP OPERATOR synap_read.= (text, text); DROP FUNCTION synap_read.steal, synap_read.cardinality",
      );
    });
  });

  it("have no function that PUBLIC may execute", async () => {
    const rows = await engine.database.query(`
      SELECT p.oid::regprocedure::text AS name
        FROM pg_proc AS p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
       WHERE p.pronamespace = 'synap'::regnamespace AND a.grantee = 0`);
    expect(rows).toEqual([]);
  });

  it("are written by functions with a pinned search path", async () => {
    const rows = await engine.database.query(`
      SELECT p.oid::regprocedure::text AS name, p.proconfig
        FROM pg_proc AS p
       WHERE p.pronamespace = 'synap'::regnamespace AND p.prosecdef
         AND NOT 'search_path=pg_catalog, pg_temp' = ANY (coalesce(p.proconfig, '{}'))`);
    expect(rows).toEqual([]);
  });
});
