import { randomUUID } from "node:crypto";
import type { Transaction } from "@synap/database";
import { syncEventTypes } from "@synap/database/internal";
import { describeOnEveryEngine, postEvent } from "@synap/database/testing";
import { createSynapEvent, type EventInput, type StoredEvent, seedCatalogue } from "@synap/types";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { catchUpFully } from "../../testing/handler-scenario.ts";
import { foldedNotes, recordedNotes, recordingProjection } from "../../testing/recording-projection.ts";
import { createSeenTable, seeing, seenBy } from "../../testing/seen-events.ts";
import { EventDispatcher, type EventDispatcherOptions } from "../engine/event-dispatcher.ts";
import type { IEventHandler } from "../handler/event-handler.ts";

const note = (aggregateId: string, content = "x") =>
  createSynapEvent({ type: "note.creation.completed", aggregateId, data: { content } });

describeOnEveryEngine("events that come through SQL", (engine) => {
  beforeAll(async () => {
    await createSeenTable(engine.database);
    await syncEventTypes(engine.database, seedCatalogue);
  });

  const asSqlWriter = <T>(work: (transaction: Transaction) => Promise<T>, isolation?: string): Promise<T> =>
    engine.database.asOwner(async (owner) => {
      if (isolation !== undefined) await owner.query(`SET TRANSACTION ISOLATION LEVEL ${isolation}`);
      await owner.query("SET LOCAL ROLE synap_sql");
      return work(owner);
    });
  const post = (event: EventInput) => asSqlWriter((session) => postEvent(session, event));
  /** A process with these handlers, as a worker that has started. */
  async function worker(options: Pick<EventDispatcherOptions, "handlers" | "projections">) {
    const dispatcher = new EventDispatcher({
      database: engine.database,
      catalogue: seedCatalogue,
      ...options,
    });
    await dispatcher.releaseInline();
    return dispatcher;
  }
  const inline = (options: Parameters<typeof seeing>[1] = {}) =>
    seeing(`inline-${randomUUID().slice(0, 8)}`, { ...options, mode: "inline" });
  const seen = ({ name }: IEventHandler) => seenBy(engine.database, name);
  const waiting = async () => {
    const rows = await engine.database.query<{ event: StoredEvent }>("SELECT event FROM synap.parked_events");
    return rows.map(({ event }) => event.id);
  };

  it("reach inline handlers of their type as they are stored", async () => {
    const received: StoredEvent[] = [];
    const all = inline({ afterwards: (events) => received.push(...events) });
    const others = inline({ eventTypes: ["note.creation.requested"] });
    const dispatcher = await worker({ handlers: [all, others] });
    const whole = {
      ...note(randomUUID(), 'a "text"\n'),
      userId: "ada",
      createdBy: "user:ada",
      source: "erp",
      requestId: "request",
      correlationId: "correlation",
      causationId: randomUUID(),
      idempotencyKey: randomUUID(),
      validFrom: "2026-01-01T00:00:00.001Z",
      validTo: "2026-12-31T00:00:00.020Z",
      metadata: { empty: null, number: 1e-7 },
    };
    await post(whole);
    await asSqlWriter(async (session) => {
      await session.query("SET LOCAL TimeZone = 'Pacific/Kiritimati'");
      await session.query("SET LOCAL DateStyle = 'SQL, DMY'");
      await postEvent(session, note(randomUUID()));
    });
    expect(received).toEqual([]);
    expect(await dispatcher.releaseInline()).toBe(2);
    expect(received[0]).toMatchObject(whole);
    const stored = await Promise.all(received.map(({ id }) => dispatcher.store.getById(id)));
    expect(received).toEqual(stored);
    expect(await seen(others)).toEqual([]);
    expect(await waiting()).toEqual([]);
  });

  it("reach them in the order of each stream, once each, however they mix with others", async () => {
    const handler = inline();
    const dispatcher = await worker({ handlers: [handler] });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom("sql", "store", "release"), fc.nat({ max: 2 })), { maxLength: 20 }),
        async (steps) => {
          const streams = [randomUUID(), randomUUID(), randomUUID()];
          const expected = new Map<string, string[]>(streams.map((stream) => [stream, []]));
          for (const [step, index] of steps) {
            const event = note(streams[index] ?? "");
            if (step === "release") await dispatcher.releaseInline();
            else expected.get(event.aggregateId)?.push(event.id);
            if (step === "sql") await post(event);
            if (step === "store") await dispatcher.store.append(event);
          }
          await dispatcher.releaseInline();
          const ids = await seen(handler);
          for (const wanted of expected.values()) {
            expect(ids.filter((id) => wanted.includes(id))).toEqual(wanted);
          }
        },
      ),
      { numRuns: 15 },
    );
    expect(await waiting()).toEqual([]);
  });

  it("become dead letters of a handler that fails on them, and are not parked twice as duplicates", async () => {
    const handler = inline({
      afterwards: (events) => {
        if (events.some(({ data }) => data["content"] === "bad")) throw new RangeError("bad");
      },
    });
    const dispatcher = await worker({ handlers: [handler] });
    const stream = randomUUID();
    const [bad, next] = [note(stream, "bad"), note(stream)];
    for (const event of [bad, bad, next]) await post(event);
    await dispatcher.releaseInline();
    const open = await dispatcher.deadLetters.list({ handler: handler.name });
    expect(open).toMatchObject([{ event: { id: bad.id }, status: "open", parked: 1 }]);
    await dispatcher.deadLetters.skip(open[0]?.id ?? 0, { by: "ada", reason: "it is bad" });
    expect(await seen(handler)).toEqual([next.id]);
  });

  it("are for no handler that the last worker didn't have", async () => {
    const removed = inline();
    await worker({ handlers: [removed] });
    const dispatcher = await worker({ handlers: [] });
    await post(note(randomUUID()));
    expect(await waiting()).toEqual([]);
    expect(await dispatcher.releaseInline()).toBe(0);
  });

  it("reach the inline builds of projections, also across a pause", async () => {
    const projection = recordingProjection({ mode: "inline" });
    const dispatcher = await worker({ projections: [projection] });
    await catchUpFully(dispatcher, projection.name);
    const stream = randomUUID();
    const both = async () => {
      await post(note(stream, "sql"));
      await dispatcher.store.append(note(stream, "store"));
    };
    const expectFolded = async () => {
      await catchUpFully(dispatcher, projection.name);
      expect(await recordedNotes(engine.database)).toEqual(await foldedNotes(engine.database));
    };
    await both();
    await expectFolded();
    await both();
    await dispatcher.projections.pause(projection.name, { by: "ada" });
    await both();
    await dispatcher.projections.resume(projection.name, { by: "ada" });
    await both();
    await expectFolded();
  });

  it("are refused in a transaction whose snapshot may be older than the mode of a projection", async () => {
    await worker({ handlers: [inline()] });
    const event = note(randomUUID());
    await expect(
      asSqlWriter((session) => postEvent(session, event), "REPEATABLE READ"),
    ).rejects.toMatchObject({ code: "SY005", message: expect.stringContaining("READ COMMITTED") });
    await worker({ handlers: [] });
    await asSqlWriter((session) => postEvent(session, event), "REPEATABLE READ");
  });
});
