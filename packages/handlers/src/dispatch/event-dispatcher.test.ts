import { listDeadLetters, lockCheckpoint, openDatabase, readCheckpoint } from "@synap/database";
import { describeOnEveryEngine } from "@synap/database/testing";
import { createSynapEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import { beforeAll, expect, it } from "vitest";
import { beginNow, createSeenTable, seeing, seenBy } from "../../testing/seen-events.ts";
import { EventDispatcher, type EventDispatcherOptions } from "./event-dispatcher.ts";
import type { IEventHandler } from "./event-handler.ts";
import { HandlerPassError, TransientHandlerError, UnknownHandlerError } from "./handler-errors.ts";

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
  const lettersOf = (handler: string) => listDeadLetters(engine.database, { handler });

  it("read on from their checkpoint, in order, a limited number of events a pass", async () => {
    const { store, pass } = await following(seeing("steps"), { passLimit: 2 });
    const events = notes("a", "b", "c");
    await store.appendBatch(events);
    expect(await pass()).toMatchObject({ status: "done", processed: 2, caughtUp: false });
    expect(await seen("steps")).toEqual(ids(events.slice(0, 2)));
    expect(await pass()).toMatchObject({ status: "done", processed: 1, caughtUp: true });
    expect(await seen("steps")).toEqual(ids(events));
    expect(await pass()).toMatchObject({ status: "done", processed: 0, caughtUp: true });
  });

  it("see only the types they asked for, and move past the others", async () => {
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
    const events = notes("a", "b");
    await store.appendBatch(events);
    const before = await readCheckpoint(engine.database, "dies");
    await expect(pass()).rejects.toMatchObject({ name: "HandlerPassError", transient: true, attempts: 0 });
    expect(await readCheckpoint(engine.database, "dies")).toBe(before);
    expect(await seen("dies")).toEqual([]);
    await pass();
    expect(await seen("dies")).toEqual(ids(events));
    expect(await lettersOf("dies")).toEqual([]);
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

  it("are tried again whole, and taken apart when that does not help: only the poison event is set aside", async () => {
    const handler = seeing("picky", {
      afterwards: (batch) => {
        if (batch.some((event) => event.data["content"] === "bad")) throw new RangeError("I don't like it");
      },
    });
    const { store, pass } = await following(handler, { maxAttempts: 3 });
    const events = notes("good", "bad", "good too");
    await store.appendBatch(events);
    for (const attempts of [1, 2, 3]) {
      await expect(pass()).rejects.toMatchObject({ attempts, transient: false });
    }
    expect(await seen("picky")).toEqual([]);
    expect(await pass()).toMatchObject({ status: "done", processed: 3, deadLettered: 1, caughtUp: true });
    expect(await seen("picky")).toEqual([events[0]?.id, events[2]?.id]);
    const letters = await lettersOf("picky");
    expect(letters).toMatchObject([{ eventId: events[1]?.id, code: "range-error", attempts: 4 }]);
    expect(letters[0]?.event).toMatchObject({ ...events[1] });
    const more = note("later");
    await store.append(more);
    await pass();
    expect(await seen("picky")).toContain(more.id);
  });

  it("never lose an event to a transient failure, however often it comes", async () => {
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
    expect(await lettersOf("patient")).toEqual([]);
  });

  it("give up the isolation of a batch when a transient failure interrupts it, deciding nothing", async () => {
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
    await expect(pass()).rejects.toMatchObject({ transient: false });
    await expect(pass()).rejects.toMatchObject({ transient: true });
    expect(await lettersOf("interrupted")).toEqual([]);
    delete errors["away"];
    expect(await pass()).toMatchObject({ processed: 2, deadLettered: 1 });
  });

  it("set aside an event whose rows break a constraint that is only checked at commit", async () => {
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
    await expect(pass()).rejects.toMatchObject({ transient: false });
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

  it("are known by name", async () => {
    const { dispatcher } = await following(seeing("known"));
    await expect(dispatcher.catchUp("unknown")).rejects.toThrow(UnknownHandlerError);
  });
});
