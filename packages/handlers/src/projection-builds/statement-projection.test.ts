import { describeOnEveryEngine } from "@synap/database/testing";
import { createSynapEvent, seedCatalogue } from "@synap/types";
import { expect, it } from "vitest";
import { catchUpFully } from "../../testing/handler-scenario.ts";
import { EventDispatcher } from "../engine/event-dispatcher.ts";
import { defineStatementProjection } from "../projections/projection.ts";
import { ProjectionDefinitionError } from "../projections/projection-errors.ts";

const notesPerAuthor = defineStatementProjection({
  name: "notes-per-author",
  version: 1,
  description: "Counts what each author did.",
  events: "all",
  mode: "async",
  tables: [
    {
      name: "notes_per_author",
      key: ["author"],
      columns: `author text NOT NULL COLLATE "C", notes bigint NOT NULL, latest timestamptz(3) NOT NULL`,
    },
  ],
  statement: {
    columns: ["created_by", "timestamp"],
    write: (table) => `
      INSERT INTO ${table("notes_per_author")} AS kept (author, notes, latest)
      SELECT created_by, count(*), max("timestamp") FROM events GROUP BY created_by
      ON CONFLICT (author) DO UPDATE
         SET notes = kept.notes + excluded.notes, latest = greatest(kept.latest, excluded.latest)`,
  },
});

describeOnEveryEngine("a projection of one statement", (engine) => {
  it("comes to the same rows whether it reads its events in the log or is given them, and when it is built again", async () => {
    const { database } = engine;
    const dispatcher = new EventDispatcher({
      database,
      catalogue: seedCatalogue,
      projections: [notesPerAuthor],
    });
    const { name } = notesPerAuthor;
    const shown = () => database.query("SELECT * FROM synap_read.notes_per_author ORDER BY author");
    for (let round = 0; round < 3; round += 1) {
      await dispatcher.store.appendBatch(
        Array.from({ length: 20 }, (_, index) =>
          createSynapEvent({
            type: "note.creation.completed",
            createdBy: `user:u${index % 3}`,
            data: { content: "noted" },
          }),
        ),
      );
      await catchUpFully(dispatcher, name);
    }
    const rows = await shown();
    expect(rows).toMatchObject([{ notes: 21 }, { notes: 21 }, { notes: 18 }]);
    // An as-of run hands the events over; the passes read the log inside the database.
    const then = await dispatcher.projections.asOf(name, { position: Number.MAX_SAFE_INTEGER });
    expect(then.rows["notes_per_author"]).toEqual(rows);
    await dispatcher.projections.rebuild(name, { by: "test" });
    const { differences } = await dispatcher.projections.cutover(name, { by: "test" });
    expect(differences).toMatchObject([{ onlyInOld: 0, onlyInNew: 0, different: 0 }]);
    expect(await shown()).toEqual(rows);
  });

  it.each(["audit_log", "compliance_stats"])("can't have the name of Synap's own view %s", (table) => {
    const define = () =>
      defineStatementProjection({
        ...notesPerAuthor,
        events: "all",
        tables: [{ name: table, key: ["author"], columns: "author text NOT NULL" }],
        statement: { columns: ["created_by"], write: () => "" },
      });
    expect(define).toThrow(ProjectionDefinitionError);
    expect(define).toThrow(
      `Projection "notes-per-author": "${table}" is a view of Synap's own; rename the table.`,
    );
  });
});
