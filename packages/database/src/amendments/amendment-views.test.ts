import {
  completeEvent,
  correctionOf,
  type EventInput,
  retractionOf,
  type StoredEvent,
  seedCatalogue,
} from "@synap/types";
import { beforeAll, expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { createEventStore } from "../internal.ts";

describeOnEveryEngine("the views of corrections and retractions", (engine) => {
  let correction: StoredEvent;
  let retraction: StoredEvent;
  let original: StoredEvent;
  let other: StoredEvent;

  beforeAll(async () => {
    const store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
    const append = async (event: EventInput) => {
      const complete = completeEvent(event);
      await store.append(complete);
      const stored = await store.getById(complete.id);
      if (stored === undefined) throw new Error("It was not stored.");
      return stored;
    };
    const note = { type: "note.creation.completed", data: { content: "milk" } } as const;
    original = await append({ ...note, aggregateId: "n1", userId: "ada" });
    other = await append({ ...note, aggregateId: "n2", userId: "ben" });
    correction = await append(correctionOf(original, { data: { content: "bread" } }));
    retraction = await append(retractionOf(other, { reason: "twice", createdBy: "agent:bot" }));
  });

  const rowOf = (kind: string, amended: StoredEvent, { id, position, recordedAt }: StoredEvent) => ({
    amended_id: amended.id,
    amending_id: id,
    kind,
    position,
    recorded_at: new Date(recordedAt),
  });
  const corrected = () => rowOf("correction", original, correction);
  const retracted = () => rowOf("retraction", other, retraction);

  it("have a row for each, which names what it amends", async () => {
    const rows = await engine.database.asOwner((owner) =>
      owner.query(`SELECT * FROM synap.event_amendments ORDER BY "position"`),
    );
    expect(rows).toEqual([corrected(), retracted()]);
  });

  it("have to the principal of a login those of its user, or those that it made itself", async () => {
    for (const [kind, id, seen] of [
      ["user", "ada", [corrected()]],
      ["user", "ben", [retracted()]],
      ["agent", "bot", [retracted()]],
      ["agent", "ada", []],
      ["machine", "bot", []],
      [undefined, "nobody", []],
    ] as const) {
      const rows = await engine.database.asOwner(async (owner) => {
        await owner.query("DELETE FROM synap.sql_principals WHERE login = session_user");
        if (kind !== undefined) {
          await owner.query(
            "INSERT INTO synap.sql_principals (login, kind, id) VALUES (session_user, $1, $2)",
            [kind, id],
          );
        }
        return owner.query(`SELECT * FROM synap.own_event_amendments ORDER BY "position"`);
      });
      expect(rows, `${kind} ${id}`).toEqual(seen);
    }
  });
});
