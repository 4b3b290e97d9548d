import { seedCatalogue } from "@synap/types";
import { beforeAll, expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { noteEvents } from "../../testing/test-events.ts";
import { createEventStore } from "../index.ts";

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

  it.each(changes)("are out of the application's reach: %s", async (change) => {
    await expect(engine.database.query(change)).rejects.toMatchObject({ code: "42501" });
  });

  it.each(changes)("are kept from the owner by the trigger: %s", async (change) => {
    await expect(engine.database.asOwner((tx) => tx.query(change))).rejects.toMatchObject({ code: "SY002" });
  });

  it("are kept from the owner in each chunk too", async () => {
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

  it("can be removed by the purge alone, whose permission ends with its transaction", async () => {
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

  it("give the application role no more than it needs on the other tables", async () => {
    const rows = await engine.database.query<{ name: string; privileges: string }>(`
      SELECT c.relname AS name, string_agg(p.name, ' ' ORDER BY p.name) AS privileges
        FROM pg_class AS c,
             unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p(name)
       WHERE c.relnamespace = 'synap'::regnamespace AND c.relkind = 'r' AND has_table_privilege('synap_app', c.oid, p.name)
       GROUP BY c.relname`);
    expect(Object.fromEntries(rows.map((row) => [row.name, row.privileges]))).toMatchObject({
      events: "INSERT SELECT",
      event_ids: "INSERT SELECT",
      idempotency_keys: "INSERT SELECT",
      appends: "INSERT SELECT",
      streams: "DELETE INSERT SELECT UPDATE",
      checkpoints: "DELETE INSERT SELECT UPDATE",
      dead_letters: "INSERT SELECT UPDATE",
      migrations: "SELECT",
    });
    await expect(engine.database.query("CREATE TABLE synap.mine (a int)")).rejects.toMatchObject({
      code: "42501",
    });
  });
});
