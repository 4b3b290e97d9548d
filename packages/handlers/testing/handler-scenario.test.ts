import { describeOnEveryEngine } from "@synap/database/testing";
import { createEventCatalogue, defineEventType, seedCatalogue } from "@synap/types";
import { beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { createReaction, type IEventHandler } from "../src/index.ts";
import { handlerScenario } from "./handler-scenario.ts";

// The example of docs/handlers.md.
const notesPerUserProjector: IEventHandler = {
  name: "notes-per-user-projector",
  description: "Counts the notes of each user.",
  eventTypes: ["note.creation.completed"],
  mode: "async",
  async handle(events, { transaction }) {
    await transaction.query(
      `INSERT INTO synap.notes_per_user AS kept (user_id, notes)
       SELECT "userId", count(*) FROM jsonb_to_recordset($1::text::jsonb) AS event ("userId" text)
       WHERE "userId" IS NOT NULL
       GROUP BY "userId"
       ON CONFLICT (user_id) DO UPDATE SET notes = kept.notes + excluded.notes`,
      [JSON.stringify(events)],
    );
  },
};

const [asked, answered, thanked] = [part("asked"), part("answered"), part("thanked")];

function part(name: string) {
  const schema = z.strictObject({});
  return defineEventType({ name: `talk.${name}`, description: "A part of a talk.", schema, example: {} });
}

/** A handler that appends one event for each of another type. */
function reacting(name: string, cause: typeof asked, effect: typeof asked): IEventHandler {
  return {
    name,
    description: "Appends an event for each.",
    eventTypes: [cause.name],
    mode: "async",
    async handle(events, { append }) {
      await append(
        events.map((event) =>
          createReaction(effect, { handler: name, cause: event, aggregateId: event.aggregateId, data: {} }),
        ),
      );
    },
  };
}

describeOnEveryEngine("handlerScenario", (engine) => {
  beforeAll(() =>
    engine.database.asOwner((owner) =>
      owner.execute(`
        CREATE TABLE synap.notes_per_user (user_id text PRIMARY KEY, notes bigint NOT NULL);
        GRANT SELECT, INSERT, UPDATE ON synap.notes_per_user TO synap_app;`),
    ),
  );

  it("counts", async () => {
    const { given, when, rows } = handlerScenario({
      database: engine.database,
      catalogue: seedCatalogue,
      handlers: [notesPerUserProjector],
    });
    await given({ type: "note.creation.completed", userId: "u1", data: { content: "first" } });
    await when({ type: "note.creation.completed", userId: "u1", data: { content: "second" } });
    expect(await rows("SELECT notes FROM synap.notes_per_user")).toEqual([{ notes: 2 }]);
  });

  it("handles events that handlers append in response to each other, whatever their order", async () => {
    const { when, rows } = handlerScenario({
      database: engine.database,
      catalogue: createEventCatalogue([asked, answered, thanked]),
      handlers: [reacting("thanking", answered, thanked), reacting("answering", asked, answered)],
    });
    await when({ type: "talk.asked", aggregateId: "t1", data: {} });
    expect(await rows("SELECT type FROM synap.events WHERE aggregate_id = 't1' ORDER BY position")).toEqual([
      { type: "talk.asked" },
      { type: "talk.answered" },
      { type: "talk.thanked" },
    ]);
  });

  it("refuses invalid events, naming the fault", async () => {
    const { when } = handlerScenario({ database: engine.database, catalogue: seedCatalogue });
    const invalid = { type: "note.creation.completed", data: {} };
    // A test without types can give anything.
    await expect(when(Object(invalid))).rejects.toThrow("data.content");
  });
});
