import { randomUUID } from "node:crypto";
import { MAX_PAGE_BYTES } from "@synap/database";
import { recordDeadLetter } from "@synap/database/internal";
import { describeOnEveryEngine } from "@synap/database/testing";
import { createSynapEvent, noteCreationCompleted, seedCatalogue } from "@synap/types";
import { expect, it } from "vitest";
import { holdStream, parkEvents, releaseStream, takeParkedEvents } from "./dispatch/held-streams.ts";
import { EventDispatcher } from "./engine/event-dispatcher.ts";
import { defineBatchProjection } from "./projections/projection.ts";

const BYTES = 200_000;
/** So many large rows are two pages of 4 MiB. */
const COUNT = 30;

describeOnEveryEngine("rows so large that fewer than requested fit into a page", (engine) => {
  const large = (aggregateId: string) =>
    createSynapEvent({
      type: "note.creation.completed",
      aggregateId,
      data: { content: "x".repeat(BYTES) },
    });

  it("are read from the parked events in several steps, in order, until none is left", async () => {
    const { database } = engine;
    const handler = `parked-${randomUUID()}`;
    const stream = { aggregateType: "note", aggregateId: randomUUID() };
    const parked = Array.from({ length: COUNT }, (_, index) => ({
      ...large(stream.aggregateId),
      position: index + 1,
      streamVersion: index + 1,
      recordedAt: "2026-01-01T00:00:00.000Z",
    }));
    const deadLetter = { handler, event: parked[0], stream, code: "failed", reason: "no", attempts: 1 };
    await database.transaction(async (transaction) => {
      const { id } = await recordDeadLetter(transaction, deadLetter);
      await holdStream(transaction, handler, stream, id);
      await parkEvents(transaction, handler, parked);
      await releaseStream(transaction, id);
    });
    const taken: number[] = [];
    const steps: number[] = [];
    for (let last = false; !last; ) {
      const step = await database.transaction((transaction) =>
        takeParkedEvents(transaction, handler, stream, 200),
      );
      const bytes = step.events.reduce((sum, { data }) => sum + JSON.stringify(data).length, 0);
      expect(bytes).toBeLessThan(MAX_PAGE_BYTES + BYTES + 1_000);
      taken.push(...step.events.map(({ position }) => position));
      steps.push(step.events.length);
      last = step.last;
    }
    expect(taken).toEqual(parked.map(({ position }) => position));
    expect(steps).toHaveLength(2);
  });

  it("cut the rows of an as-of run, which names the tables that were cut", async () => {
    const { database } = engine;
    const suffix = randomUUID().slice(0, 8);
    const projection = defineBatchProjection({
      name: `large-${suffix}`,
      version: 1,
      description: "Keeps large rows.",
      events: [noteCreationCompleted],
      mode: "async",
      tables: [
        { name: `large_${suffix}`, key: ["id"], columns: "id text NOT NULL, content text NOT NULL" },
        { name: `small_${suffix}`, key: ["id"], columns: "id text NOT NULL" },
      ],
      apply: async (events, { table, transaction }) => {
        for (const { aggregateId, data } of events) {
          await transaction.query(`INSERT INTO ${table(`large_${suffix}`)} VALUES ($1, $2)`, [
            aggregateId,
            data.content,
          ]);
          await transaction.query(`INSERT INTO ${table(`small_${suffix}`)} VALUES ($1)`, [aggregateId]);
        }
      },
    });
    const dispatcher = new EventDispatcher({
      database,
      catalogue: seedCatalogue,
      projections: [projection],
    });
    const ids = Array.from({ length: COUNT }, (_, index) => `${suffix}-${String(index).padStart(3, "0")}`);
    await dispatcher.store.appendBatch(ids.map(large));
    const then = await dispatcher.projections.asOf(projection.name, { position: Number.MAX_SAFE_INTEGER });
    const rows = then.rows[`large_${suffix}`] ?? [];
    const bytes = rows.reduce((sum, row) => sum + JSON.stringify(row).length, 0);
    expect(bytes).toBeGreaterThan(MAX_PAGE_BYTES - BYTES);
    expect(bytes).toBeLessThan(MAX_PAGE_BYTES + BYTES + 10_000);
    expect(rows.map(({ id }) => id)).toEqual(ids.slice(0, rows.length));
    expect(then.rows[`small_${suffix}`]).toHaveLength(COUNT);
    expect(then.cut).toEqual([`large_${suffix}`]);
    const few = await dispatcher.projections.asOf(
      projection.name,
      { position: Number.MAX_SAFE_INTEGER },
      { maxRows: 3 },
    );
    expect(few.rows[`small_${suffix}`]).toHaveLength(3);
    expect(few.cut).toEqual([`large_${suffix}`, `small_${suffix}`]);
  });
});
