import type { Database, SqlParameter, Transaction } from "@synap/database";
import { describeOnEveryEngine } from "@synap/database/testing";
import { createSynapEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import { beforeAll, expect, it } from "vitest";
import { beginNow, createSeenTable, seeing, seenBy } from "../../testing/seen-events.ts";
import type { IEventHandler } from "../handler/event-handler.ts";
import { TransientHandlerError } from "../handler/handler-errors.ts";
import { EventDispatcher } from "./event-dispatcher.ts";
import { HandlerRunner } from "./handler-runner.ts";

const note = (content: string, aggregateId?: string): SynapEvent =>
  createSynapEvent({ type: "note.creation.completed", aggregateId, data: { content } });
const price = (): SynapEvent =>
  createSynapEvent({ type: "product.price_changed", data: { oldPrice: 1, newPrice: 2 } });
const mixed = () => [note("a"), price(), note("b"), price()];
const ids = (events: readonly SynapEvent[]) => events.map((event) => event.id);
const NEVER_MS = 600_000;
const silent = { info: () => {}, warn: () => {}, error: () => {} };

/** The same database, and a count of the pages of the log that its transactions read. */
function countPages(database: Database): { readonly database: Database; readonly pages: () => number } {
  let pages = 0;
  const counting = (transaction: Transaction): Transaction =>
    Object.create(transaction, {
      query: {
        value: <Row extends object>(text: string, parameters?: readonly SqlParameter[]) => {
          if (text.includes("FROM synap.events")) pages += 1;
          return transaction.query<Row>(text, parameters);
        },
      },
    });
  const transaction: Database["transaction"] = (work) => database.transaction((each) => work(counting(each)));
  return { database: Object.create(database, { transaction: { value: transaction } }), pages: () => pages };
}

describeOnEveryEngine("handlers of one process", (engine) => {
  beforeAll(() => createSeenTable(engine.database));

  async function started(handlers: readonly IEventHandler[], database = engine.database) {
    const dispatcher = new EventDispatcher({
      database,
      catalogue: seedCatalogue,
      handlers,
      passLimit: 10,
      backoff: { firstMs: 5, maxMs: 20 },
    });
    for (const { name } of handlers) await beginNow(engine.database, name);
    return dispatcher;
  }
  const names = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  const untilSeen = (handler: string, events: readonly SynapEvent[]) =>
    expect
      .poll(() => seenBy(engine.database, handler), { timeout: 60_000, interval: 20 })
      .toEqual(ids(events));

  it("read the log once for all of them, at the head", async () => {
    const counted = countPages(engine.database);
    const all = names("shares-all", 3);
    const prices = names("shares-prices", 3);
    const dispatcher = await started(
      [
        ...all.map((name) => seeing(name)),
        ...prices.map((name) => seeing(name, { eventTypes: ["product.price_changed"] })),
      ],
      counted.database,
    );
    const stored: SynapEvent[] = [];
    const appendAndPass = async (announced: number) => {
      const events = mixed();
      stored.push(...events);
      await dispatcher.store.appendBatch(events);
      for (const name of dispatcher.followers) {
        expect(await dispatcher.catchUp(name, announced)).toMatchObject({ status: "done", caughtUp: true });
      }
    };
    // With the first passes they get to know each other.
    await appendAndPass(1);
    const before = counted.pages();
    for (let announced = 2; announced < 12; announced += 1) await appendAndPass(announced);
    expect(counted.pages() - before).toBe(10);
    for (const name of all) expect(await seenBy(engine.database, name)).toEqual(ids(stored));
    const priced = ids(stored.filter(({ type }) => type === "product.price_changed"));
    for (const name of prices) expect(await seenBy(engine.database, name)).toEqual(priced);
  });

  it("look again when an append was announced after a page was read", async () => {
    const [first = "", second = ""] = names("announced", 2);
    const dispatcher = await started([seeing(first), seeing(second)]);
    const events = [note("a"), note("b"), note("c")] as const;
    const pass = (name: string, announced: number) => dispatcher.catchUp(name, announced);
    await dispatcher.store.append(events[0]);
    await pass(first, 1);
    await pass(second, 1);
    await dispatcher.store.append(events[1]);
    await pass(first, 2);
    await dispatcher.store.append(events[2]);
    // The page that the first has read has the second event only.
    expect(await pass(second, 3)).toMatchObject({ processed: 1, caughtUp: false });
    expect(await pass(second, 3)).toMatchObject({ processed: 1, caughtUp: true });
    await untilSeen(second, events);
  });

  it("go on while one fails for a long time, which later gets every event in order", async () => {
    const others = names("goes-on", 3);
    let isAway = true;
    const failing = seeing("is-away", {
      afterwards: () => {
        if (isAway) throw new TransientHandlerError("away");
      },
    });
    const dispatcher = await started([...others.map((name) => seeing(name)), failing]);
    const { database } = engine;
    const runner = new HandlerRunner({
      dispatcher,
      database,
      logger: silent,
      pollIntervalMs: NEVER_MS,
      backoff: { firstMs: 5, maxMs: 20 },
    });
    runner.start();
    const stored: SynapEvent[] = [];
    // More pages than are kept, of one stream, whose order holds however its events are retried.
    for (let round = 0; round < 8; round += 1) {
      const events = Array.from({ length: 10 }, () => note("x", "one-stream"));
      stored.push(...events);
      await dispatcher.store.appendBatch(events);
      for (const name of others) await untilSeen(name, stored);
    }
    expect(await seenBy(database, "is-away")).toEqual([]);
    isAway = false;
    await untilSeen("is-away", stored);
    await runner.stop();
  });

  it("go on while one is in the middle of a pass", async () => {
    // The embedded engine has one session, which the pass holds.
    if (engine.engine === "embedded") return;
    const others = names("passes-by", 2);
    let goOn = () => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const slow = seeing("is-slow", { afterwards: () => held });
    const dispatcher = await started([slow, ...others.map((name) => seeing(name))]);
    const { database } = engine;
    const runner = new HandlerRunner({ dispatcher, database, logger: silent, pollIntervalMs: NEVER_MS });
    runner.start();
    const stored: SynapEvent[] = [];
    for (let round = 0; round < 8; round += 1) {
      const events = Array.from({ length: 10 }, () => note("x"));
      stored.push(...events);
      await dispatcher.store.appendBatch(events);
      for (const name of others) await untilSeen(name, stored);
    }
    expect(await seenBy(database, "is-slow")).toEqual([]);
    goOn();
    await untilSeen("is-slow", stored);
    await runner.stop();
  });
});
