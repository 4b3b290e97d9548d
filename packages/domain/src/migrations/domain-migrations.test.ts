import { type Database, migrate } from "@synap/database";
import { createTestDatabase, describeOnEveryEngine } from "@synap/database/testing";
import { handlerScenario } from "@synap/handlers/testing";
import { seedCatalogue } from "@synap/types";
import { expect, it } from "vitest";
import { notesProjection } from "../notes/notes-projection.ts";
import { domainMigrations } from "./domain-migrations.ts";

/** As the last release with the handler note-projector writes a note. */
const WRITE_AS_BEFORE = `
INSERT INTO synap_domain.notes AS kept (id, user_id, content, tags, created_by, created_at, event_id, "position")
VALUES ('n1', 'ada', 'kept', '[]', 'user:ada', now(), gen_random_uuid(), 1)
ON CONFLICT (id) DO UPDATE SET "position" = excluded."position" WHERE kept."position" < excluded."position"`;

describeOnEveryEngine("a store of before the projection of the notes", (engine) => {
  it("has its notes from the log, and no copy that nothing maintains", async () => {
    const { database, drop } = await createTestDatabase(engine.engine);
    const files = Object.entries(domainMigrations.files).filter(([name]) => !name.startsWith("0004"));
    await migrate(database, { applications: [{ ...domainMigrations, files: Object.fromEntries(files) }] });
    const scenario = () =>
      handlerScenario({ database, catalogue: seedCatalogue, projections: [notesProjection] });
    const { dispatcher } = handlerScenario({ database, catalogue: seedCatalogue });
    await dispatcher.store.append(
      seedCatalogue.createSynapEvent({
        type: "note.creation.completed",
        aggregateId: "n1",
        data: { content: "kept" },
      }),
    );
    const old = () => database.query("SELECT id FROM synap_domain.notes");
    await database.query(WRITE_AS_BEFORE);
    await leaveDeadLetter(database);
    expect(await old()).toEqual([{ id: "n1" }]);

    await migrate(database, { applications: [domainMigrations] });
    expect(await old()).toEqual([]);
    // A worker of the release before is not disturbed.
    await database.query(WRITE_AS_BEFORE);
    expect(await old()).toEqual([]);
    expect(await database.query("SELECT status FROM synap.dead_letters")).toEqual([{ status: "skipped" }]);
    await scenario().given();
    expect(await database.query("SELECT id, content FROM synap_read.notes")).toEqual([
      { id: "n1", content: "kept" },
    ]);
    await drop();
  });
});

function leaveDeadLetter(database: Database): Promise<unknown> {
  return database.query(
    `INSERT INTO synap.dead_letters (handler, event_id, "position", event, attempts, code, reason, first_failed_at, last_failed_at)
     SELECT 'note-projector', id, "position", '{}', 1, 'range-error', 'A test', now(), now() FROM synap.events`,
  );
}
