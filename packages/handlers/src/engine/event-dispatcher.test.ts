import { openDatabase, type Transaction } from "@synap/database";
import { listDeadLetters, lockCheckpoint, readCheckpoint } from "@synap/database/internal";
import { describeOnEveryEngine } from "@synap/database/testing";
import { createSynapEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import { beforeAll, expect, it } from "vitest";
import { beginNow, createSeenTable, seeing, seenBy } from "../../testing/seen-events.ts";
import type { IEventHandler } from "../handler/event-handler.ts";
import { HandlerPassError, TransientHandlerError, UnknownHandlerError } from "../handler/handler-errors.ts";
import { EventDispatcher, type EventDispatcherOptions } from "./event-dispatcher.ts";

const note = (content: string): SynapEvent =>
  createSynapEvent({ type: "note.creation.completed", data: { content } });
const notes = (...contents: string[]) => contents.map(note);
const ids = (events: readonly SynapEvent[]) => events.map((event) => event.id);

describeOnEveryEngine("asynchronous handlers", (engine) => {
  beforeAll(() => createSeenTable(engine.database));

  async function following(handler: IEventHandler, options: Partial<EventDispatcherOptions> = {}) {
    const { database } = engine;
    const dispatcher = new EventDispatcher({
      database,
      catalogue: seedCatalogue,
      handlers: [handler],
      ...options,
    });
    await beginNow(database, handler.name);
    return { dispatcher, store: dispatcher.store, pass: () => dispatcher.catchUp(handler.name) };
  }
  const seen = (handler: string) => seenBy(engine.database, handler);
  const dueNow = (handler: string) =>
    engine.database.query("UPDATE synap.held_streams SET retry_at = now() WHERE handler = $1", [handler]);
  const deadLettersOf = (handler: string) => listDeadLetters(engine.database, { handler });

  it("continue from their checkpoint, in order, with a limited number of events per pass", async () => {
    const { store, pass } = await following(seeing("steps"), { passLimit: 2 });
    const events = notes("a", "b", "c");
    await store.appendBatch(events);
    expect(await pass()).toMatchObject({ status: "done", processed: 2, caughtUp: false });
    expect(await seen("steps")).toEqual(ids(events.slice(0, 2)));
    expect(await pass()).toMatchObject({ status: "done", processed: 1, caughtUp: true });
    expect(await seen("steps")).toEqual(ids(events));
    expect(await pass()).toMatchObject({ status: "done", processed: 0, caughtUp: true });
  });

  it("receive only their event types, and move past the others", async () => {
    const handler = seeing("only-requests", { eventTypes: ["note.creation.requested"] });
    const { store, pass } = await following(handler);
    const request = createSynapEvent({ type: "note.creation.requested", data: { content: "x" } });
    await store.appendBatch([note("a"), request]);
    const last = await store.append(note("b"));
    const result = await pass();
    expect(await seen("only-requests")).toEqual([request.id]);
    expect(result).toMatchObject({ processed: 1, caughtUp: true });
    expect(
      last.status === "stored" && (await readCheckpoint(engine.database, "only-requests")) >= last.position,
    ).toBe(true);
  });

  it("have their effects exactly once, when the session dies between handling and commit", async () => {
    let dying = true;
    const handler = seeing("dies", {
      afterwards: async (_, { transaction }) => {
        if (!dying) return;
        dying = false;
        // The embedded engine has no session that could be killed without killing the test.
        if (engine.engine === "embedded") throw new TransientHandlerError("the process ends here");
        const [session] = await transaction.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
        await engine.database.asOwner((owner) =>
          owner.query("SELECT pg_terminate_backend($1, 5000)", [session?.pid ?? 0]),
        );
      },
    });
    const { store, pass } = await following(handler);
    const events = notes("a");
    await store.appendBatch(events);
    const before = await readCheckpoint(engine.database, "dies");
    await expect(pass()).rejects.toMatchObject({ name: "HandlerPassError", transient: true, attempts: 1 });
    expect(await readCheckpoint(engine.database, "dies")).toBe(before);
    expect(await seen("dies")).toEqual([]);
    await pass();
    expect(await seen("dies")).toEqual(ids(events));
    expect(await deadLettersOf("dies")).toEqual([]);
  });

  it("append further events together with their checkpoint, or not at all", async () => {
    const reaction = note("reaction");
    let failing = true;
    const handler = seeing("reacts", {
      eventTypes: ["note.creation.requested"],
      afterwards: async (_, { append }) => {
        const outcomes = await append([reaction]);
        expect(outcomes).toMatchObject([{ status: "stored" }]);
        if (failing) throw new TransientHandlerError("after the append");
      },
    });
    const { store, pass } = await following(handler);
    await store.append(createSynapEvent({ type: "note.creation.requested", data: { content: "x" } }));
    await expect(pass()).rejects.toThrow(HandlerPassError);
    expect(await store.getById(reaction.id)).toBeUndefined();
    failing = false;
    await pass();
    expect(await store.getById(reaction.id)).toMatchObject({ id: reaction.id });
  });

  it("fail on a refused append, which names the reason, unless they look at the outcomes themselves", async () => {
    const request = createSynapEvent({ type: "note.creation.requested", data: { content: "x" } });
    const invalid: SynapEvent = { ...note("reaction"), data: {} };
    const handler = (name: string, react: IEventHandler["handle"]): IEventHandler =>
      seeing(name, { eventTypes: ["note.creation.requested"], afterwards: react });
    const careless = await following(
      handler("careless", async (_, { append }) => void (await append([invalid]))),
      { maxAttempts: 1 },
    );
    await careless.store.append(request);
    expect(await careless.pass()).toMatchObject({ deadLettered: 1 });
    expect(await deadLettersOf("careless")).toMatchObject([
      {
        code: "reaction-refused",
        reason: `Handler "careless" appended event ${invalid.id}, which the store refuses: data.content is required`,
      },
    ]);

    const outcomes: unknown[] = [];
    const careful = await following(
      handler("careful", async (_, { tryAppend }) => void outcomes.push(...(await tryAppend([invalid])))),
    );
    await careful.store.append({ ...request, id: note("another").id });
    expect(await careful.pass()).toMatchObject({ processed: 1 });
    expect(outcomes).toMatchObject([{ status: "rejected", issues: [{ path: "data.content" }] }]);
    expect(await deadLettersOf("careful")).toEqual([]);
  });

  it("isolate a poison event at once and retry it alone, while only its own stream waits", async () => {
    const calls: string[][] = [];
    const handler = seeing("picky", {
      afterwards: (batch) => {
        calls.push(batch.map((event) => String(event.data["content"])));
        if (batch.some((event) => event.data["content"] === "bad")) throw new RangeError("I don't like it");
      },
    });
    const backoff = { firstMs: 3_600_000, maxMs: 3_600_000 };
    const { store, pass } = await following(handler, { maxAttempts: 2, backoff });
    const good = Array.from({ length: 127 }, (_, index) => note(`good ${index}`));
    const bad = note("bad");
    const behind = createSynapEvent({
      type: "note.creation.completed",
      aggregateId: bad.aggregateId,
      data: { content: "behind" },
    });
    await store.appendBatch([...good.slice(0, 77), bad, ...good.slice(77), behind]);
    expect(await pass()).toMatchObject({
      status: "done",
      processed: 129,
      deadLettered: 0,
      caughtUp: true,
      retrying: [{ event: { id: bad.id }, attempts: 1, code: "range-error", transient: false }],
      retryInMs: 3_600_000,
    });
    expect(await seen("picky")).toEqual(ids(good));
    expect(calls.length).toBeLessThan(25);
    // It isn't due yet, and what comes behind it waits. Others don't.
    const later = [note("later"), { ...behind, id: note("x").id, data: { content: "behind as well" } }];
    await store.appendBatch(later);
    expect(await pass()).toMatchObject({ processed: 1, deadLettered: 0, caughtUp: true });
    expect(await deadLettersOf("picky")).toEqual([]);
    await dueNow("picky");
    expect(await pass()).toMatchObject({ deadLettered: 1 });
    expect(await deadLettersOf("picky")).toMatchObject([
      { eventId: bad.id, code: "range-error", attempts: 2, parked: 2 },
    ]);
    expect(await seen("picky")).toEqual([...ids(good), later[0]?.id]);
  });

  it("resume the stream when a retried event can be handled", async () => {
    let failures = 2;
    const handler = seeing("recovers", {
      afterwards: (batch) => {
        if (!batch.some((event) => event.data["content"] === "bad")) return;
        failures -= 1;
        if (failures >= 0) throw new RangeError("not yet");
      },
    });
    const { store, pass } = await following(handler, { backoff: { firstMs: 0, maxMs: 0 } });
    const bad = note("bad");
    const behind = { ...note("behind"), aggregateId: bad.aggregateId };
    await store.appendBatch([bad, behind]);
    await pass();
    await pass();
    expect(await seen("recovers")).toEqual([bad.id, behind.id]);
    expect(await deadLettersOf("recovers")).toEqual([]);
    expect(await pass()).toMatchObject({ processed: 0, caughtUp: true, retrying: [] });
  });

  it("don't retry data that PostgreSQL refuses", async () => {
    const handler = seeing("refused", {
      afterwards: (batch, { transaction }) =>
        batch.some((event) => event.data["content"] === "bad")
          ? transaction.query("SELECT '0000-01-01'::date")
          : undefined,
    });
    const { store, pass } = await following(handler);
    const events = notes("good", "bad", "good too");
    await store.appendBatch(events);
    expect(await pass()).toMatchObject({ processed: 3, deadLettered: 1, caughtUp: true, retrying: [] });
    expect(await seen("refused")).toEqual([events[0]?.id, events[2]?.id]);
    expect(await deadLettersOf("refused")).toMatchObject([{ code: "sqlstate-22008", attempts: 1 }]);
  });

  it("retry a due event although the clock was set back", async () => {
    let failing = true;
    const handler = seeing("set-back", {
      afterwards: () => {
        if (failing) throw new RangeError("no");
      },
    });
    const { store, pass } = await following(handler);
    const event = note("a");
    await store.append(event);
    await pass();
    failing = false;
    await engine.database.query(
      `UPDATE synap.held_streams SET retry_at = retry_at + interval '1 h', failed_at = failed_at + interval '1 h'
        WHERE handler = 'set-back'`,
    );
    await pass();
    expect(await seen("set-back")).toEqual([event.id]);
  });

  it("never lose an event to transient failures, however many", async () => {
    let failures = 12;
    const handler = seeing("patient", {
      afterwards: () => {
        failures -= 1;
        if (failures > 0) throw new TransientHandlerError("the mail server is away");
      },
    });
    const { store, pass } = await following(handler, { maxAttempts: 1 });
    const event = note("a");
    await store.append(event);
    while (failures > 1) await expect(pass()).rejects.toMatchObject({ transient: true });
    await pass();
    expect(await seen("patient")).toEqual([event.id]);
    expect(await deadLettersOf("patient")).toEqual([]);
  });

  it("hold only the stream of an event that fails transiently, for as long as others can be handled", async () => {
    let away = true;
    const handler = seeing("partly-away", {
      afterwards: (batch) => {
        if (away && batch.some((event) => event.data["content"] === "away")) {
          throw new TransientHandlerError("that mailbox is locked");
        }
      },
    });
    const { store, pass } = await following(handler, { maxAttempts: 1, backoff: { firstMs: 0, maxMs: 0 } });
    const events = notes("good", "away", "good too");
    await store.appendBatch(events);
    expect(await pass()).toMatchObject({ deadLettered: 0, retrying: [{ transient: true, attempts: 1 }] });
    for (const attempts of [2, 3, 4]) expect(await pass()).toMatchObject({ retrying: [{ attempts }] });
    expect(await deadLettersOf("partly-away")).toEqual([]);
    away = false;
    await pass();
    expect(await seen("partly-away")).toEqual([events[0]?.id, events[2]?.id, events[1]?.id]);
  });

  /** Runs into the statement's time limit; the embedded engine has none, and raises what it would. */
  async function overrun(transaction: Transaction): Promise<never> {
    if (engine.engine === "server") {
      await transaction.query("SET LOCAL statement_timeout = '5ms'");
      await transaction.query("SELECT pg_sleep(60)");
    }
    await transaction.query("DO $$ BEGIN RAISE EXCEPTION 'too slow' USING ERRCODE = '57014'; END $$");
    throw new Error("The statement was not cut off.");
  }

  function slowFor(name: string, isSlow: (event: SynapEvent) => boolean): IEventHandler {
    return seeing(name, {
      afterwards: (batch, { transaction }) => (batch.some(isSlow) ? overrun(transaction) : undefined),
    });
  }
  const isSlow = (event: SynapEvent) => event.data["content"] === "slow";

  it("make a single event that always times out a dead letter after its attempts", async () => {
    const { store, pass } = await following(slowFor("slow-alone", isSlow), { maxAttempts: 3 });
    const event = note("slow");
    await store.append(event);
    for (const attempts of [1, 2]) await expect(pass()).rejects.toMatchObject({ transient: true, attempts });
    expect(await deadLettersOf("slow-alone")).toEqual([]);
    expect(await pass()).toMatchObject({ deadLettered: 1, caughtUp: true });
    expect(await deadLettersOf("slow-alone")).toMatchObject([
      { eventId: event.id, code: "sqlstate-57014", attempts: 3 },
    ]);
  });

  it("make an event that always times out a dead letter after its attempts, while the others are handled", async () => {
    const backoff = { firstMs: 0, maxMs: 0 };
    const { store, pass } = await following(slowFor("slow-among", isSlow), { maxAttempts: 3, backoff });
    const events = notes("a", "slow", "b");
    await store.appendBatch(events);
    expect(await pass()).toMatchObject({ deadLettered: 0, retrying: [{ attempts: 1, transient: false }] });
    expect(await seen("slow-among")).toEqual([events[0]?.id, events[2]?.id]);
    expect(await pass()).toMatchObject({ retrying: [{ attempts: 2 }] });
    expect(await pass()).toMatchObject({ deadLettered: 1, retrying: [] });
    expect(await deadLettersOf("slow-among")).toMatchObject([{ code: "sqlstate-57014", attempts: 3 }]);
  });

  it("wait as a whole while every statement times out, as when the database is busy", async () => {
    let busy = true;
    const handler = slowFor("all-slow", () => busy);
    const { store, pass } = await following(handler, { maxAttempts: 3 });
    const events = notes(...Array.from({ length: 12 }, (_, index) => `${index}`));
    await store.appendBatch(events);
    for (let attempts = 1; attempts <= 5; attempts += 1)
      await expect(pass()).rejects.toMatchObject({ transient: true, attempts });
    busy = false;
    await pass();
    expect(await seen("all-slow")).toEqual(ids(events));
    expect(await deadLettersOf("all-slow")).toEqual([]);
  });

  it("count passes that timed out, but not those while the database was unavailable", async () => {
    let fault: Error | undefined = Object.assign(new Error("gone"), { code: "57P01" });
    const handler = seeing("away-then-slow", {
      afterwards: (_batch, { transaction }) => {
        if (fault !== undefined) throw fault;
        return overrun(transaction);
      },
    });
    const { store, pass } = await following(handler, { maxAttempts: 2 });
    await store.append(note("a"));
    for (let round = 0; round < 3; round += 1)
      await expect(pass()).rejects.toMatchObject({ transient: true });
    fault = undefined;
    await expect(pass()).rejects.toMatchObject({ transient: true });
    expect(await pass()).toMatchObject({ deadLettered: 1 });
  });

  it("wait as a whole when nothing can be handled, and record nothing", async () => {
    const errors: Record<string, Error> = {
      bad: new RangeError("no"),
      away: new TransientHandlerError("away"),
    };
    const handler = seeing("interrupted", {
      afterwards: (batch) => {
        for (const event of batch) {
          const error = errors[String(event.data["content"])];
          if (error !== undefined) throw error;
        }
      },
    });
    const { store, pass } = await following(handler, { maxAttempts: 1 });
    await store.appendBatch(notes("bad", "away"));
    await expect(pass()).rejects.toMatchObject({ transient: true, attempts: 1 });
    expect(await deadLettersOf("interrupted")).toEqual([]);
    delete errors["away"];
    expect(await pass()).toMatchObject({ processed: 2, deadLettered: 1 });
  });

  it("make an event whose rows violate a deferred constraint a dead letter", async () => {
    await engine.database.asOwner((transaction) =>
      transaction.execute(`
        CREATE TABLE seen.unique_at_commit (content text UNIQUE DEFERRABLE INITIALLY DEFERRED);
        GRANT SELECT, INSERT ON seen.unique_at_commit TO synap_app;`),
    );
    const handler = seeing("deferred", {
      afterwards: async (batch, { transaction }) => {
        for (const event of batch) {
          await transaction.query("INSERT INTO seen.unique_at_commit VALUES ($1)", [
            String(event.data["content"]),
          ]);
        }
      },
    });
    const { store, pass } = await following(handler, { maxAttempts: 1 });
    await store.appendBatch(notes("same", "same", "other"));
    expect(await pass()).toMatchObject({ processed: 3, deadLettered: 1, caughtUp: true });
  });

  it("run in one worker at a time", async () => {
    const { options } = engine.testDatabase;
    if (!("url" in options)) return; // The embedded engine has one session, hence one worker.
    const { store, pass } = await following(seeing("guarded"));
    const event = note("a");
    await store.append(event);
    const elsewhere = await openDatabase(options);
    try {
      await elsewhere.transaction(async (transaction) => {
        await lockCheckpoint(transaction, "guarded");
        expect(await pass()).toEqual({ status: "busy" });
      });
      expect(await pass()).toMatchObject({ status: "done" });
    } finally {
      await elsewhere.close();
    }
    expect(await seen("guarded")).toEqual([event.id]);
  });

  it("are found by name", async () => {
    const { dispatcher } = await following(seeing("known"));
    await expect(dispatcher.catchUp("unknown")).rejects.toThrow(UnknownHandlerError);
  });
});
