import type { Transaction } from "@synap/database";
import { listDeadLetters } from "@synap/database/internal";
import { describeOnEveryEngine } from "@synap/database/testing";
import { derivedEventId } from "@synap/handlers";
import { catchUpFully, handlerScenario } from "@synap/handlers/testing";
import { createSynapEvent, seedCatalogue } from "@synap/types";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { noteCreationReactor } from "./note-creation-reactor.ts";
import { notesProjection } from "./notes-projection.ts";

const ALL_NOTES = `
  SELECT id, user_id, title, content, tags, created_by, created_at, correlation_id, event_id, position
    FROM synap_read.notes ORDER BY id COLLATE "C"`;

describeOnEveryEngine("the notes", (engine) => {
  beforeAll(() => scenario().dispatcher.projections.prepare());
  const scenario = () =>
    handlerScenario({ database: engine.database, catalogue: seedCatalogue, projections: [notesProjection] });
  const row = async (id: string) => {
    const [found] = await scenario().rows<Record<string, unknown>>(
      "SELECT id, user_id, title, content, tags, created_by, created_at, correlation_id, event_id FROM synap_read.notes WHERE id = $1",
      [id],
    );
    return found;
  };

  it("shows a note with every field of its event", async () => {
    const [event] = await scenario().when({
      type: "note.creation.completed",
      aggregateId: "full",
      userId: "u1",
      timestamp: "2026-03-04T05:06:07.089Z",
      correlationId: "c1",
      data: { content: "Call Acme — “now”", title: "Acme", tags: ["urgent", "a,b", '"quoted"'] },
    });
    expect(await row("full")).toEqual({
      id: "full",
      user_id: "u1",
      title: "Acme",
      content: "Call Acme — “now”",
      tags: ["urgent", "a,b", '"quoted"'],
      created_by: "user:u1",
      created_at: new Date("2026-03-04T05:06:07.089Z"),
      correlation_id: "c1",
      event_id: event?.id,
    });
  });

  it("shows a note that has only content", async () => {
    await scenario().when({ type: "note.creation.completed", aggregateId: "bare", data: { content: "x" } });
    expect(await row("bare")).toMatchObject({ user_id: null, title: null, tags: [], correlation_id: null });
  });

  it("shows the latest event of a note, also when one batch has two", async () => {
    const { given, when } = scenario();
    await given({
      type: "note.creation.completed",
      aggregateId: "twice",
      data: { content: "old", title: "T" },
    });
    const [, latest] = await when(
      { type: "note.creation.completed", aggregateId: "twice", data: { content: "newer" } },
      { type: "note.creation.completed", aggregateId: "twice", data: { content: "newest" } },
    );
    expect(await row("twice")).toMatchObject({ content: "newest", title: null, event_id: latest?.id });
  });

  it("leaves a note with its owner when a later event names no user, also in one batch", async () => {
    const { given, when } = scenario();
    const note = (more: object) => ({
      type: "note.creation.completed" as const,
      aggregateId: "owned",
      data: { content: "x" },
      ...more,
    });
    await given(note({ userId: "u1" }));
    await when(note({ createdBy: "agent:planner" }));
    expect(await row("owned")).toMatchObject({ user_id: "u1", created_by: "agent:planner" });
    await when(note({ userId: "u2" }), note({ createdBy: "agent:planner" }));
    expect(await row("owned")).toMatchObject({ user_id: "u2", created_by: "agent:planner" });
  });

  it("produces the same rows however the events are batched", async () => {
    const { database } = engine;
    const names = ["p1", "p2", "p3"];
    const events = await scenario().given(
      ...Array.from({ length: 12 }, (_, index) => ({
        type: "note.creation.completed" as const,
        aggregateId: names[index % 3] ?? "p1",
        ...(index % 4 === 0 && { userId: `user ${index}` }),
        data: { content: `version ${index}`, ...(index % 2 === 0 && { title: `title ${index}` }) },
      })),
    );
    const expected = await database.query(ALL_NOTES);
    const [live] = await database.query<{ build: number }>(
      "SELECT build FROM synap.projection_builds WHERE projection = 'notes'",
    );
    const table = (name: string) => `synap_read.${name}_${live?.build}`;
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 1, max: 11 })), async (ends) => {
        const rows = await rolledBack(async (transaction) => {
          await transaction.query(`DELETE FROM ${table("notes")} WHERE id = ANY (ARRAY['p1', 'p2', 'p3'])`);
          const bounds = [...ends].sort((one, other) => one - other);
          for (const [index, from] of [0, ...bounds].entries()) {
            await notesProjection.apply(events.slice(from, bounds[index]), { transaction, table });
          }
          return await transaction.query(ALL_NOTES);
        });
        expect(rows).toEqual(expected);
      }),
      { numRuns: 40 },
    );
    expect(await database.query(ALL_NOTES)).toEqual(expected);
  });

  it("are in the rows in the transaction of the append, and a rebuild has the same rows", async () => {
    const { dispatcher, given } = scenario();
    await given({ type: "note.creation.completed", aggregateId: "first", data: { content: "x" } });
    const event = createSynapEvent({
      type: "note.creation.completed",
      aggregateId: "at-once",
      data: { content: "y" },
    });
    await dispatcher.store.append(event);
    expect(await row("at-once")).toMatchObject({ content: "y", event_id: event.id });
    await dispatcher.projections.rebuild("notes", { by: "user:ops" });
    await catchUpFully(dispatcher, "notes");
    const { differences } = await dispatcher.projections.cutover("notes", { by: "user:ops" });
    expect(
      differences.map(({ onlyInOld, onlyInNew, different }) => [onlyInOld, onlyInNew, different]),
    ).toEqual([[0, 0, 0]]);
    await dispatcher.projections.drop("notes", "previous");
  });

  it("are shown as they were at a position", async () => {
    const { dispatcher, given, when } = scenario();
    const [first] = await given({
      type: "note.creation.completed",
      aggregateId: "past",
      userId: "u1",
      data: { content: "before" },
    });
    await when({ type: "note.creation.completed", aggregateId: "past", data: { content: "after" } });
    const { rows } = await dispatcher.projections.asOf("notes", { position: first?.position ?? 0 });
    expect(rows["notes"]).toContainEqual(expect.objectContaining({ id: "past", content: "before" }));
    expect(await row("past")).toMatchObject({ content: "after" });
  });

  /** Runs work in a transaction, rolls it back, and returns the result. */
  async function rolledBack<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const undo = new Error("undo");
    let result: { value: T } | undefined;
    await engine.database
      .transaction(async (transaction) => {
        result = { value: await work(transaction) };
        throw undo;
      })
      .catch((error: unknown) => {
        if (error !== undo) throw error;
      });
    if (result === undefined) throw new Error("the work did not end");
    return result.value;
  }
});

describeOnEveryEngine("note-creation-reactor", (engine) => {
  const scenario = () =>
    handlerScenario({
      database: engine.database,
      catalogue: seedCatalogue,
      handlers: [noteCreationReactor],
      projections: [notesProjection],
    });

  it("creates the requested note, with the cause, correlation and stream of the request", async () => {
    const { when, rows, dispatcher } = scenario();
    const [request] = await when({
      type: "note.creation.requested",
      aggregateId: "asked",
      userId: "u1",
      requestId: "r1",
      correlationId: "flow-1",
      data: { content: "Call Acme", tags: ["urgent"] },
    });
    const id = derivedEventId({ handler: "note-creation-reactor", cause: request?.id ?? "" });
    expect(await dispatcher.store.getById(id)).toMatchObject({
      type: "note.creation.completed",
      aggregateType: "note",
      aggregateId: "asked",
      streamVersion: 2,
      data: { content: "Call Acme", tags: ["urgent"] },
      userId: "u1",
      createdBy: "system",
      source: "note-creation-reactor",
      requestId: "r1",
      correlationId: "flow-1",
      causationId: request?.id,
    });
    expect(await rows("SELECT content, user_id FROM synap_read.notes WHERE id = 'asked'")).toEqual([
      { content: "Call Acme", user_id: "u1" },
    ]);
  });

  it("starts a correlation with a request that has none", async () => {
    const { when, dispatcher } = scenario();
    const [request] = await when({ type: "note.creation.requested", data: { content: "x" } });
    const id = derivedEventId({ handler: "note-creation-reactor", cause: request?.id ?? "" });
    expect(await dispatcher.store.getById(id)).toMatchObject({ correlationId: request?.id });
  });

  it("creates the note of an old request, whose timestamp is outside the window for new events", async () => {
    const { when, dispatcher } = scenario();
    const [request] = await when({
      type: "note.creation.requested",
      timestamp: "2019-01-01T00:00:00.000Z",
      data: { content: "old" },
    });
    const response = await dispatcher.store.getById(
      derivedEventId({ handler: "note-creation-reactor", cause: request?.id ?? "" }),
    );
    expect(response?.timestamp).toBe(request?.recordedAt);
  });

  it("creates the note once, however often the request is redelivered", async () => {
    const { when, rows, dispatcher } = scenario();
    const request = createSynapEvent({
      type: "note.creation.requested",
      aggregateId: "again",
      data: { content: "x" },
    });
    await when(request, request);
    await when(request);
    // The checkpoint lost, as after restoring an older backup of it: every request is handled again.
    await engine.database.query("UPDATE synap.checkpoints SET position = 0 WHERE handler = $1", [
      noteCreationReactor.name,
    ]);
    while (true) {
      const pass = await dispatcher.catchUp(noteCreationReactor.name);
      if (pass.status === "done" && pass.caughtUp) break;
    }
    const stream = await rows<{ type: string }>(
      "SELECT type FROM synap.events WHERE aggregate_id = 'again' ORDER BY stream_version",
    );
    expect(stream.map((event) => event.type)).toEqual(["note.creation.requested", "note.creation.completed"]);
    expect(await listDeadLetters(engine.database)).toEqual([]);
  });
});
