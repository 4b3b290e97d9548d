import { DatabaseUnavailableError } from "@synap/database";
import { listDeadLetters } from "@synap/database/internal";
import { describeOnEveryEngine } from "@synap/database/testing";
import { createSynapEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import { beforeAll, expect, it } from "vitest";
import { createSeenTable, seeing, seenBy } from "../../testing/seen-events.ts";
import { EventDispatcher } from "../engine/event-dispatcher.ts";
import type { IEventHandler } from "../handler/event-handler.ts";
import { InlineHandlerError, TransientHandlerError } from "../handler/handler-errors.ts";
import type { InlineFailurePolicy } from "./inline-handlers.ts";

const note = (content: string): SynapEvent =>
  createSynapEvent({ type: "note.creation.completed", data: { content } });
const request = (content: string): SynapEvent =>
  createSynapEvent({ type: "note.creation.requested", data: { content } });
const ids = (events: readonly SynapEvent[]) => events.map((event) => event.id);

describeOnEveryEngine("inline handlers", (engine) => {
  beforeAll(() => createSeenTable(engine.database));

  const storeWith = (handlers: IEventHandler[], onInlineFailure: InlineFailurePolicy = "dead-letter") =>
    new EventDispatcher({ database: engine.database, catalogue: seedCatalogue, handlers, onInlineFailure })
      .store;
  const inline = (name: string, options?: Parameters<typeof seeing>[1]) =>
    seeing(name, { ...options, mode: "inline" });
  const deadLettersOf = (handler: string) => listDeadLetters(engine.database, { handler });

  it("receive the events of an append in order, of their types only, before it returns", async () => {
    const everything = inline("sees-everything");
    const notes = inline("sees-notes", { eventTypes: ["note.creation.completed"] });
    const events = [note("a"), request("b"), note("c")];
    await storeWith([everything, notes]).appendBatch(events);
    expect(await seenBy(engine.database, "sees-everything")).toEqual(ids(events));
    expect(await seenBy(engine.database, "sees-notes")).toEqual([events[0]?.id, events[2]?.id]);
  });

  it("don't receive an event that was already stored", async () => {
    const events = [note("a"), note("b")];
    const store = storeWith([inline("sees-once")]);
    await store.appendBatch(events);
    await store.appendBatch([...events, ...events]);
    expect(await seenBy(engine.database, "sees-once")).toEqual(ids(events));
  });

  it("make a poison event a dead letter: it is stored, and the others are handled", async () => {
    const events = ["good", "bad", "good too"].map(note);
    const bad = events[1];
    const picky = inline("picky", {
      afterwards: (batch) => {
        if (batch.some((event) => event.data["content"] === "bad")) throw new RangeError("I don't like it");
      },
    });
    const outcomes = await storeWith([picky]).appendBatch(events);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(["stored", "stored", "stored"]);
    expect(await seenBy(engine.database, "picky")).toEqual([events[0]?.id, events[2]?.id]);
    const [deadLetter, ...others] = await deadLettersOf("picky");
    expect(others).toEqual([]);
    expect(deadLetter).toMatchObject({
      eventId: bad?.id,
      code: "range-error",
      reason: "I don't like it",
      attempts: 1,
    });
    const [, stored] = outcomes;
    expect(deadLetter?.event).toMatchObject({
      ...bad,
      position: stored?.status === "stored" && stored.position,
    });
  });

  it("undo nothing of another handler's work when they fail", async () => {
    const event = note("bad");
    const failing = inline("fails-always", {
      afterwards: (_, { transaction }) => transaction.query("SELECT 1 / 0"),
    });
    await storeWith([inline("runs-before"), failing, inline("runs-after")]).append(event);
    expect(await seenBy(engine.database, "runs-before")).toEqual([event.id]);
    expect(await seenBy(engine.database, "fails-always")).toEqual([]);
    expect(await seenBy(engine.database, "runs-after")).toEqual([event.id]);
    expect(await deadLettersOf("fails-always")).toMatchObject([{ code: "sqlstate-22012" }]);
  });

  it("fail the whole append when the failure is transient, so that it can be retried", async () => {
    const event = note("later");
    const failures = [new TransientHandlerError("try later"), new DatabaseUnavailableError("gone")];
    const shaky = inline("shaky", {
      afterwards: () => {
        const failure = failures.shift();
        if (failure !== undefined) throw failure;
      },
    });
    const store = storeWith([shaky]);
    await expect(store.append(event)).rejects.toThrow(TransientHandlerError);
    await expect(store.append(event)).rejects.toThrow(DatabaseUnavailableError);
    expect(await store.getById(event.id)).toBeUndefined();
    expect(await store.append(event)).toMatchObject({ status: "stored" });
    expect(await seenBy(engine.database, "shaky")).toEqual([event.id]);
    expect(await deadLettersOf("shaky")).toEqual([]);
  });

  it("fail the append with a typed error when the policy is to reject", async () => {
    const events = [note("good"), note("bad")];
    const cause = new RangeError("not allowed");
    const strict = inline("strict", {
      afterwards: (batch) => {
        if (batch.some((event) => event.data["content"] === "bad")) throw cause;
      },
    });
    const store = storeWith([strict], "reject");
    const failure = await store.appendBatch(events).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InlineHandlerError);
    expect(failure).toMatchObject({ code: "INLINE_HANDLER_FAILED", handler: "strict", cause });
    expect(await store.getById(events[0]?.id ?? "")).toBeUndefined();
    expect(await deadLettersOf("strict")).toEqual([]);
  });

  it("can't append events", async () => {
    const greedy = inline("greedy", { afterwards: (_, { append }) => append([note("more")]) });
    await storeWith([greedy]).append(note("one"));
    expect(await deadLettersOf("greedy")).toMatchObject([{ code: "inline-append" }]);
  });
});
