import { randomUUID } from "node:crypto";
import { seedCatalogue } from "@synap/types";
import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { noteEvent } from "../../testing/test-events.ts";
import { appendNewEvents } from "../append/append-new-events.ts";
import { MAX_PAGE_BYTES, type SqlSession } from "../index.ts";
import { createEventStore } from "../internal.ts";

/** 100 KB of JSON that PostgreSQL prints as 4.5 MB. The API refuses it, but a store may hold it from elsewhere. */
const expanding = { content: "x", n: Array.from({ length: 14_000 }, () => 5e-324) };
const COUNT = 8;

describeOnEveryEngine("events whose text is much larger than their stored form", (engine) => {
  async function seed() {
    const aggregateId = randomUUID();
    const store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
    const { watermark: start } = await store.readAll({ after: Number.MAX_SAFE_INTEGER, limit: 1 });
    const events = Array.from({ length: COUNT }, () => noteEvent({ aggregateId, data: expanding }));
    expect(await store.append(noteEvent({ metadata: expanding }))).toMatchObject({
      status: "rejected",
      issues: [{ path: "", code: "event-too-large" }],
    });
    await appendNewEvents(engine.database, events);
    return { store, start, aggregateId, ids: events.map(({ id }) => id) };
  }

  it("are read one at a time, by every reader", async () => {
    const { store, start, aggregateId, ids } = await seed();
    const stream = { aggregateType: "note", aggregateId };
    const all: string[] = [];
    for (let after = start, caughtUp = false; !caughtUp; ) {
      const page = await store.readAll({ after, limit: 1_000, stream });
      expect(page.events.length).toBeLessThanOrEqual(1);
      all.push(...page.events.map(({ id }) => id));
      ({ position: after, caughtUp } = page);
    }
    expect(all).toEqual(ids);

    const page = await store.query({ aggregateId }, { limit: 1_000, order: "asc" });
    expect(page.events.map(({ id }) => id)).toEqual(ids.slice(0, 1));
    expect(page.events[0]?.data).toEqual(expanding);
    expect(page.nextCursor).toBeDefined();

    const backwards = await store.readStreamPage(stream, { direction: "backwards" });
    expect(backwards.events.map(({ id }) => id)).toEqual(ids.slice(-1));
    expect(backwards.nextVersion).toBe(COUNT - 1);
  });

  it("are returned to SQL readers one at a time", async () => {
    const { aggregateId, start, ids } = await seed();
    const read = (session: SqlSession, text: string, parameters: (string | number)[]) =>
      session.query<{ id: string }>(text, parameters);
    // Readers of SQL have these functions; the application does not.
    const [stream, log] = await engine.database.asOwner(async (owner) => [
      await read(owner, "SELECT id FROM synap.get_aggregate_events('note', $1)", [aggregateId]),
      await read(owner, "SELECT id FROM synap.get_events($1)", [start]),
    ]);
    expect(stream?.map(({ id }) => id)).toEqual(ids.slice(0, 1));
    expect(log?.map(({ id }) => id)).toEqual(ids.slice(0, 1));
  });

  it("are not printed after the end of a page", async () => {
    const { aggregateId } = await seed();
    // Rows after the budget add nothing, so they were not printed.
    const [row] = await engine.database.query<{ bytes: number }>(
      "SELECT synap.printed_bytes(data, metadata, $2::integer) AS bytes FROM synap.events WHERE aggregate_id = $1",
      [aggregateId, MAX_PAGE_BYTES],
    );
    expect(row?.bytes).toBeGreaterThan(MAX_PAGE_BYTES);
    expect(row?.bytes).toBeLessThan(2 * MAX_PAGE_BYTES);
  });
});
