import { randomUUID } from "node:crypto";
import { listDeadLetters } from "@synap/database/internal";
import { describeOnEveryEngine } from "@synap/database/testing";
import { createSynapEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import { newerCatalogue, parcelSent } from "@synap/types/testing";
import { beforeEach, expect, it } from "vitest";
import { EventDispatcher } from "../engine/event-dispatcher.ts";
import { packEvents } from "../envelope/pack-events.ts";
import type { IEventHandler } from "../handler/event-handler.ts";
import { TransientHandlerError } from "../handler/handler-errors.ts";
import {
  appendAcceptedEvents,
  INGEST_HANDLER,
  keepAccepted,
  keepRefusedEvents,
} from "../ingest/accepted-events.ts";

const parcel = (about: Partial<SynapEvent> = {}): SynapEvent => ({ ...parcelSent(), ...about });
const note = (about: Partial<SynapEvent> = {}): SynapEvent => ({
  ...createSynapEvent({ type: "note.creation.completed", aggregateId: randomUUID(), data: { content: "x" } }),
  ...about,
});
const by = { by: "user:ops" };

describeOnEveryEngine("dead letters of accepted events", (engine) => {
  const dispatch = (
    catalogue: typeof seedCatalogue | typeof newerCatalogue,
    handlers: IEventHandler[] = [],
  ) => new EventDispatcher({ database: engine.database, catalogue, handlers });
  /** Stores an envelope as the worker does. */
  async function deliver(dispatcher: EventDispatcher, ...events: SynapEvent[]) {
    const outcomes = await appendAcceptedEvents(engine.database, dispatcher.store, events);
    await keepRefusedEvents(engine.database, events, outcomes);
    return outcomes.map(({ status }) => status);
  }
  const listed = () => listDeadLetters(engine.database, { handler: INGEST_HANDLER });
  const older = () => dispatch(seedCatalogue);
  const newer = () => dispatch(newerCatalogue);

  beforeEach(() => engine.database.asOwner((owner) => owner.execute("TRUNCATE synap.dead_letters CASCADE")));

  it("are retried: refused with the reason until this process knows the type, then stored and closed with the actor's name", async () => {
    const event = parcel();
    expect(await deliver(older(), event)).toEqual(["refused"]);
    expect(
      await deliver(older(), { ...event, timestamp: new Date(Date.now() - 5_000).toISOString() }),
    ).toEqual(["refused"]);
    const [deadLetter, ...others] = await listed();
    expect(others).toEqual([]);
    expect(deadLetter).toMatchObject({ code: "unknown-event-type", event, attempts: 2, status: "open" });
    const id = deadLetter?.id ?? 0;

    expect(await older().deadLetters.retry(id, by)).toMatchObject({
      status: "open",
      failure: { code: "unknown-event-type" },
    });
    const retried = await newer().deadLetters.retry(id, by);
    const stored = await newer().store.getById(event.id);
    expect(stored).toMatchObject(event);
    expect(retried).toEqual({
      id,
      status: "retried",
      resolution: `stored at position ${stored?.position}`,
      released: 0,
      parked: 0,
    });
    expect(await listed()).toMatchObject([
      {
        status: "retried",
        resolvedBy: "user:ops",
        position: stored?.position,
        resolution: retried.resolution,
        attempts: 4,
      },
    ]);
  });

  it("pass the event to inline handlers, and stay unchanged while a dependency of those is unavailable", async () => {
    const event = note();
    await keepAccepted(engine.database, event, { code: "sqlstate-23505", reason: "a test", attempts: 1 });
    const [deadLetter] = await listed();
    let isAway = true;
    const seen: string[] = [];
    const { deadLetters } = dispatch(seedCatalogue, [
      {
        name: "counts",
        description: "Sees notes.",
        mode: "inline",
        eventTypes: ["note.creation.completed"],
        async handle(events) {
          if (isAway) throw new TransientHandlerError("away");
          seen.push(...events.map(({ id }) => id));
        },
      },
    ]);
    await expect(deadLetters.retry(deadLetter?.id ?? 0, by)).rejects.toThrow(TransientHandlerError);
    expect(await deadLetters.retryAll({}, by)).toEqual({
      outcomes: [],
      stopped: { id: deadLetter?.id, code: "transient-handler-failure", reason: "away" },
    });
    expect(await listed()).toEqual([deadLetter]);
    isAway = false;
    await deadLetters.retry(deadLetter?.id ?? 0, by);
    expect(seen).toEqual([event.id]);
  });

  it("are closed as already stored when the event was stored another way, by a retry or automatically", async () => {
    const [first, second] = [parcel(), parcel()];
    await deliver(older(), first, second);
    const [outcome] = await newer().store.appendBatch([first, second]);
    const [, deadLetter] = await listed();
    expect(await newer().deadLetters.retry(deadLetter?.id ?? 0, by)).toMatchObject({
      status: "retried",
      resolution: `was already stored at position ${outcome?.status === "stored" && outcome.position}`,
    });
    // Even by a process that doesn't know the type: the event is stored already.
    expect(await older().deadLetters.closeStored()).toBe(1);
    expect(await listed()).toMatchObject([
      { eventId: second.id, status: "retried", resolvedBy: INGEST_HANDLER },
      { eventId: first.id, status: "retried", resolvedBy: "user:ops" },
    ]);
    expect(await older().deadLetters.closeStored()).toBe(0);
  });

  it("are not created for a stored event that is redelivered to a process that refuses it", async () => {
    const event = parcel();
    await newer().store.append(event);
    expect(await deliver(older(), event)).toEqual(["duplicate"]);
    expect(await listed()).toEqual([]);
  });

  it("keep every content that lost an id conflict, name the position of the stored one, and stay open", async () => {
    const stored = note();
    const lost = ["b", "c"].map((content) => ({ ...stored, data: { content } }));
    expect(await deliver(older(), stored, ...lost)).toEqual(["stored", "refused", "refused"]);
    expect(await deliver(older(), ...lost, { ...stored, type: "no.such.type" })).toEqual([
      "refused",
      "refused",
      "refused",
    ]);
    const position = (await older().store.getById(stored.id))?.position;
    const kept = await listed();
    expect(kept.map(({ code, event }) => [code, event])).toEqual([
      ["event-id-conflict", { ...stored, type: "no.such.type" }],
      ["event-id-conflict", lost[1]],
      ["event-id-conflict", lost[0]],
    ]);
    for (const { reason } of kept) expect(reason).toContain(`stored at position ${position}`);
    expect(await older().deadLetters.closeStored()).toBe(0);
    // No retry can change them, so they are not tried automatically.
    expect(await listed()).toEqual(kept);
    expect(await older().deadLetters.retry(kept[1]?.id ?? 0, by)).toMatchObject({
      status: "open",
      failure: { code: "event-id-conflict" },
    });
  });

  it("keep an event whose idempotency key belongs to an event of other content, but not one of the same content", async () => {
    const idempotencyKey = randomUUID();
    const first = note({ idempotencyKey });
    const same = createSynapEvent({ type: first.type as "note.creation.completed", data: { content: "x" } });
    const events = [
      first,
      note({ idempotencyKey, aggregateId: first.aggregateId }),
      note({ idempotencyKey, aggregateId: first.aggregateId, data: { content: "other" } }),
      { ...same, idempotencyKey },
    ];
    expect(await deliver(older(), ...events)).toEqual(["stored", "duplicate", "refused", "refused"]);
    expect(await listed()).toMatchObject([
      { eventId: same.id, code: "idempotency-key-conflict" },
      { eventId: events[2]?.id, code: "idempotency-key-conflict", reason: expect.stringContaining(first.id) },
    ]);
    const unnamed = { ...same, id: randomUUID(), idempotencyKey: randomUUID() };
    const streams = [unnamed, { ...unnamed, id: randomUUID() }].map((event) => ({
      ...event,
      aggregateId: event.id,
    }));
    expect(await deliver(older(), ...streams)).toEqual(["stored", "duplicate"]);
  });

  it("keep an event whose stream was closed after acceptance, which no retry can store", async () => {
    const first = note();
    const late = note({ aggregateId: first.aggregateId });
    const { store, deadLetters } = older();
    await store.append(first);
    await store.closeStream(first, "any");
    expect(await deliver(older(), late, note())).toEqual(["refused", "stored"]);
    const [deadLetter, ...others] = await listed();
    expect(others).toEqual([]);
    expect(deadLetter).toMatchObject({ code: "stream-closed", event: late, status: "open" });
    expect(await deadLetters.retry(deadLetter?.id ?? 0, by)).toMatchObject({
      status: "open",
      failure: { code: "stream-closed" },
    });
    const elsewhere = note({ data: late.data });
    expect(await deliver(older(), elsewhere)).toEqual(["stored"]);
    const reason = `sent again as ${elsewhere.id}`;
    await deadLetters.skip(deadLetter?.id ?? 0, { ...by, reason });
    expect(await listed()).toMatchObject([{ eventId: late.id, status: "skipped", resolution: reason }]);
  });

  it("keep an event that PostgreSQL refuses, and store it once that is corrected", async () => {
    const event = note({ data: { content: "poison" } });
    await engine.database.asOwner((owner) =>
      owner.execute(
        "ALTER TABLE synap.events ADD CONSTRAINT no_poison CHECK (data ->> 'content' <> 'poison')",
      ),
    );
    try {
      expect(await deliver(older(), note(), event, note())).toEqual(["stored", "refused", "stored"]);
    } finally {
      await engine.database.asOwner((owner) =>
        owner.execute("ALTER TABLE synap.events DROP CONSTRAINT no_poison"),
      );
    }
    const [deadLetter, ...others] = await listed();
    expect(others).toEqual([]);
    expect(deadLetter).toMatchObject({
      code: "refused-by-database",
      event,
      reason: expect.stringContaining("23514"),
    });
    expect(await older().deadLetters.retry(deadLetter?.id ?? 0, by)).toMatchObject({ status: "retried" });
    expect(await older().store.getById(event.id)).toMatchObject(event);
  });

  it.each(["plain", "packed"])(
    "of a whole envelope (%s) store its events, and each refused event becomes a dead letter",
    async (form) => {
      const events = [note(), parcel(), note()];
      const id = await keepAccepted(
        engine.database,
        form === "plain" ? { events } : await packEvents(events, JSON.stringify(events)),
        { code: "envelope-undeliverable", reason: "x", attempts: 1 },
      );
      await older().store.append(events[2] ?? note());
      expect(await older().deadLetters.retry(id, by)).toMatchObject({
        status: "retried",
        resolution: "of 3 events, newly stored: 1, stored already: 1, dead letters of their own: 1",
      });
      expect(await listed()).toMatchObject([
        { eventId: events[1]?.id, code: "unknown-event-type", status: "open" },
        { id, status: "retried" },
      ]);
    },
  );

  it("that can't be parsed stay open, whatever they contain", async () => {
    const packed = await packEvents([note()], JSON.stringify([note()]));
    const contents = [{ events: "none" }, null, 7, "\ud800\0", { events: [] }, [1], packed];
    for (const [index, content] of contents.entries()) {
      const id = await keepAccepted(engine.database, content, {
        code: "envelope-unreadable",
        reason: "x",
        attempts: 1,
      });
      expect(await older().deadLetters.retry(id, by), String(index)).toMatchObject({
        status: "open",
        failure: { code: "envelope-unreadable" },
      });
    }
    // PostgreSQL can't read this as jsonb, so it can't be compared with what is stored.
    const odd = { ...parcel(), data: { text: "\0\ud800" } };
    expect(await deliver(newer(), odd)).toEqual(["refused"]);
    const [deadLetter] = await listed();
    expect(await newer().deadLetters.retry(deadLetter?.id ?? 0, by)).toMatchObject({ status: "open" });
  });

  it("are retried in bulk, page by page, each with its own outcome", async () => {
    const events = Array.from({ length: 5 }, () => parcel());
    const wrong = parcel({ data: { weight: "heavy" } });
    await deliver(older(), ...events.slice(0, 3), wrong, ...events.slice(3), note({ data: {} }));
    const { deadLetters } = newer();
    const filter = { handler: INGEST_HANDLER, code: "unknown-event-type", limit: 4 };
    const first = await deadLetters.retryAll(filter, by);
    expect(first.outcomes.map(({ status, failure }) => failure?.code ?? status)).toEqual([
      "retried",
      "retried",
      "retried",
      "wrong-type",
    ]);
    const second = await deadLetters.retryAll({ ...filter, after: first.next }, by);
    expect(second.outcomes.map(({ status }) => status)).toEqual(["retried", "retried"]);
    expect(second.next).toBeUndefined();
    expect((await deadLetters.list({ status: "open" })).map(({ code }) => code)).toEqual([
      "missing",
      "wrong-type",
    ]);
  });

  it("are skipped with a reason and stay skipped, with actor and reason, when the event is redelivered", async () => {
    const event = parcel();
    await deliver(older(), event);
    const [deadLetter] = await listed();
    await older().deadLetters.skip(deadLetter?.id ?? 0, { by: "ada", reason: "a test" });
    await deliver(older(), event);
    expect(await listed()).toMatchObject([
      { status: "skipped", resolvedBy: "ada", resolution: "a test", attempts: 2 },
    ]);
    expect(await deliver(newer(), event)).toEqual(["stored"]);
    expect(await newer().deadLetters.closeStored()).toBe(0);
    expect(await listed()).toMatchObject([{ status: "skipped", resolution: "a test" }]);
  });
});
