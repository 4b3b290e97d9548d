import { readCheckpoint, storeStatistics, syncEventTypes } from "@synap/database/internal";
import { describeOnEveryEngine, postEvent } from "@synap/database/testing";
import { createSynapEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import { beforeAll, expect, it, vi } from "vitest";
import { beginNow, createSeenTable, seeing, seenBy } from "../../testing/seen-events.ts";
import type { IEventHandler } from "../handler/event-handler.ts";
import { TransientHandlerError } from "../handler/handler-errors.ts";
import { EventDispatcher } from "./event-dispatcher.ts";
import { HandlerRunner, type HandlerRunnerOptions } from "./handler-runner.ts";

const note = (content: string): SynapEvent =>
  createSynapEvent({ type: "note.creation.completed", data: { content } });
const ids = (events: readonly SynapEvent[]) => events.map((event) => event.id);
const NEVER_MS = 600_000;

describeOnEveryEngine("the resident runner", (engine) => {
  beforeAll(() => createSeenTable(engine.database));

  async function running(handlers: IEventHandler[], options: Partial<HandlerRunnerOptions> = {}) {
    const { database } = engine;
    const backoff = { firstMs: 5, maxMs: 20 };
    const dispatcher = new EventDispatcher({
      database,
      catalogue: seedCatalogue,
      handlers,
      passLimit: 10,
      backoff,
    });
    for (const handler of handlers) await beginNow(database, handler.name);
    const logged: string[] = [];
    const log = (_: object, message: string) => void logged.push(message);
    const logger = { info: log, warn: log, error: log };
    const runner = new HandlerRunner({ dispatcher, database, logger, backoff, ...options });
    runner.start();
    return { runner, store: dispatcher.store, logged };
  }
  const untilSeen = (handler: string, events: readonly SynapEvent[]) =>
    vi.waitFor(async () => expect(await seenBy(engine.database, handler)).toEqual(ids(events)), {
      timeout: 60_000,
      interval: 20,
    });

  it("handles events that come through SQL for inline handlers", async () => {
    const { runner } = await running([seeing("inline-too", { mode: "inline" })]);
    const registered = async () =>
      (await engine.database.query("SELECT FROM synap.inline_consumers WHERE name = 'inline-too'")).length;
    await vi.waitFor(async () => expect(await registered()).toBeGreaterThan(0), { timeout: 60_000 });
    await syncEventTypes(engine.database, seedCatalogue);
    const event = note("by SQL");
    await engine.database.asOwner((owner) => postEvent(owner, event));
    await untilSeen("inline-too", [event]);
    await runner.stop();
  });

  it("continues when its logger throws, after failed passes and after handled events", async () => {
    const thrower = () => {
      throw new Error("the log is full");
    };
    let failures = 0;
    const handler = seeing("unlogged", {
      afterwards: () => {
        failures += 1;
        if (failures < 4) throw new TransientHandlerError("away");
      },
    });
    const logger = { info: thrower, warn: thrower, error: thrower };
    const { runner, store } = await running([handler], { logger });
    const events = [note("a"), note("b")];
    for (const event of events) await store.append(event);
    // One that was put back comes after those of other streams.
    const seen = async () => (await seenBy(engine.database, "unlogged")).sort();
    await expect.poll(seen).toEqual(events.map(({ id }) => id).sort());
    await runner.stop();
  });

  it("is woken by an append, long before its poll interval", async () => {
    const { runner, store } = await running([seeing("woken")], { pollIntervalMs: NEVER_MS });
    const events = [note("a"), note("b")];
    for (const event of events) {
      await store.append(event);
      await untilSeen("woken", events.slice(0, events.indexOf(event) + 1));
    }
    await runner.stop();
  });

  it("finds new events by polling when it is not woken", async () => {
    const deaf = { engine: "server" as const, listen: async () => async () => {} };
    const { runner, store } = await running([seeing("polls")], { database: deaf, pollIntervalMs: 20 });
    const event = note("a");
    await store.append(event);
    await untilSeen("polls", [event]);
    await runner.stop();
  });

  it("works off a backlog pass by pass without waiting in between", async () => {
    const { runner, store } = await running([seeing("backlog")], { pollIntervalMs: NEVER_MS });
    const events = Array.from({ length: 35 }, (_, index) => note(`${index}`));
    await store.appendBatch(events);
    await untilSeen("backlog", events);
    await runner.stop();
  });

  it("backs off while a handler fails and continues when it works again, without affecting others", async () => {
    let failures = 3;
    const shaky = seeing("shaky", {
      afterwards: () => {
        failures -= 1;
        if (failures >= 0) throw new TransientHandlerError("the mail server is away");
      },
    });
    const { runner, store, logged } = await running([shaky, seeing("steady")]);
    const event = note("a");
    await store.append(event);
    await untilSeen("steady", [event]);
    await untilSeen("shaky", [event]);
    await runner.stop();
    expect(logged.filter((message) => message.includes("the mail server is away"))).toHaveLength(3);
    expect(logged).toContain("shaky works again");
  });

  it("shows waiting handlers and streams in the status, with the reason and the next attempt", async () => {
    const backoff = { firstMs: 3_600_000, maxMs: 3_600_000 };
    const retryOf = async (handler: string) => {
      const { handlers } = await storeStatistics(engine.database);
      return handlers.find(({ name }) => name === handler)?.retrying;
    };
    let isAway = true;
    const away = seeing("away-shown", {
      afterwards: () => {
        if (isAway) throw new TransientHandlerError("the mail server is away");
      },
    });
    const picky = seeing("picky-shown", {
      afterwards: (batch) => {
        if (batch.some((event) => event.data["content"] === "bad")) throw new RangeError("no");
      },
    });
    const { database } = engine;
    const handlers = [away, picky];
    const dispatcher = new EventDispatcher({ database, catalogue: seedCatalogue, handlers, backoff });
    for (const handler of handlers) await beginNow(database, handler.name);
    const silent = { info: () => {}, warn: () => {}, error: () => {} };
    const runner = new HandlerRunner({ dispatcher, database, backoff, logger: silent });
    const [bad] = [note("bad")];
    await dispatcher.store.appendBatch([note("good"), bad]);
    runner.start();
    await expect
      .poll(() => retryOf("picky-shown"), { timeout: 60_000 })
      .toMatchObject({
        waiting: "stream",
        streams: 1,
        eventId: bad.id,
        attempts: 1,
        transient: false,
        code: "range-error",
        reason: "no",
      });
    await expect
      .poll(() => retryOf("away-shown"), { timeout: 60_000 })
      .toMatchObject({
        waiting: "handler",
        attempts: 1,
        transient: true,
        code: "transient-handler-failure",
        reason: "the mail server is away",
      });
    const { failedAt = "", nextAttemptAt = "" } = (await retryOf("away-shown")) ?? {};
    expect(Date.parse(nextAttemptAt) - Date.parse(failedAt)).toBeGreaterThan(3_000_000);
    await runner.stop();
    isAway = false;
    await dispatcher.catchUp("away-shown");
    expect(await retryOf("away-shown")).toBeUndefined();
  });

  it("makes a poison event a dead letter and logs that", async () => {
    const picky = seeing("picky", {
      afterwards: (batch) => {
        if (batch.some((event) => event.data["content"] === "bad")) throw new RangeError("no");
      },
    });
    const { runner, store, logged } = await running([picky]);
    const events = ["good", "bad", "good too"].map(note);
    await store.appendBatch(events);
    await untilSeen(
      "picky",
      events.filter((event) => event.data["content"] !== "bad"),
    );
    await expect.poll(() => logged).toContain("picky: 1 failed event became a dead letter");
    await runner.stop();
  });

  it("finishes the running pass when it is stopped, and starts no more", async () => {
    let begun = () => {};
    const inFlight = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const slow = seeing("slow", {
      afterwards: async () => {
        begun();
        await new Promise((resolve) => setTimeout(resolve, 100));
      },
    });
    const { runner, store } = await running([slow]);
    const event = note("a");
    await store.append(event);
    await inFlight;
    await runner.stop();
    expect(await seenBy(engine.database, "slow")).toEqual([event.id]);
    const checkpoint = await readCheckpoint(engine.database, "slow");
    await store.append(note("b"));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await readCheckpoint(engine.database, "slow")).toBe(checkpoint);
  });
});
