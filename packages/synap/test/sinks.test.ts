import { randomUUID } from "node:crypto";
import { passingKeys, storeStatistics } from "@synap/database/internal";
import { createTestDatabase, type TestDatabase } from "@synap/database/testing";
import { EventDispatcher, HandlerPassError } from "@synap/handlers/internal";
import type { StoredEvent } from "@synap/types";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import {
  createSynap,
  defineConfig,
  defineEventType,
  defineSink,
  SinkNotFoundError,
  type SinkOptions,
  type SinkOutcome,
} from "../src/index.ts";

const joined = defineEventType({
  name: "customer.joined",
  description: "A customer joined.",
  version: 2,
  schema: z.strictObject({ email: z.string().meta({ personal: { subject: "userId" } }), plan: z.string() }),
  example: { email: "ada@example.org", plan: "basic" },
  upcast: {
    1: {
      schema: z.strictObject({ email: z.string().meta({ personal: { subject: "userId" } }) }),
      up: ({ email }) => ({ email: email.toLowerCase(), plan: "basic" }),
    },
  },
});
const left = defineEventType({
  name: "customer.left",
  description: "A customer left.",
  schema: z.strictObject({}),
  example: {},
});

let made = 0;

/** A sink that keeps what it gets in memory: the events of the source of its name. */
function collecting(options: Partial<SinkOptions> = {}) {
  made += 1;
  const name = `collecting-${made}`;
  const got: StoredEvent[] = [];
  let isClosed = false;
  const sink = defineSink({
    name,
    description: "Collects events.",
    filter: { source: name },
    eventTypes: ["customer.joined"],
    promise: {
      destination: "memory",
      ordered: true,
      transactional: true,
      idempotent: false,
      guarantee: "at least once",
      keepsCheckpoint: false,
    },
    open: async () => ({
      checkpoint: async () => undefined,
      apply: async (events) => {
        got.push(...events);
        return events.map(() => ({ status: "applied" }));
      },
      close: async () => {
        isClosed = true;
      },
    }),
    ...options,
  });
  return { sink, name, got, isClosed: () => isClosed };
}

const keys = passingKeys();
let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase("embedded");
});
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});
afterAll(() => test.drop());

async function open(options: Partial<SinkOptions> = {}) {
  const parts = collecting(options);
  const config = defineConfig({ eventTypes: [joined, left], sinks: [parts.sink] });
  const synap = await createSynap(config, {
    database: test.database,
    personalData: { keys },
  });
  cleanups.push(() => synap.close());
  const join = (aggregateId: string, source = parts.name) =>
    synap.publish({
      type: "customer.joined",
      aggregateId,
      userId: "ada",
      source,
      data: { email: "Ada@Example.org", plan: "pro" },
    });
  return { ...parts, synap, join };
}

describe("a sink of a config", () => {
  it("gets the events of its types, and can be waited for", async () => {
    const { synap, join, got, name } = await open();
    await synap.publish({ type: "customer.left", aggregateId: "c-0", data: {} });
    const { id, position } = await join("c-1");
    await synap.waitFor(position, name);
    expect(got.map((event) => event.id)).toEqual([id]);
  });

  it("gets only the events that its filter names", async () => {
    const { synap, join, got, name } = await open({
      filter: { source: "shop", stream: { aggregateType: "customer", aggregateId: "c-2" } },
    });
    await join("c-1", "shop");
    const wanted = await join("c-2", "shop");
    const last = await join("c-2", "till");
    await synap.waitFor(last.position, name);
    expect(got.map((event) => event.id)).toEqual([wanted.id]);
  });

  it("gets personal data masked, unless it opens it", async () => {
    const masking = await open();
    await masking.synap.waitFor((await masking.join("c-1")).position, masking.name);
    expect(JSON.stringify(masking.got)).not.toContain("Example.org");
    expect(JSON.stringify(masking.got)).not.toContain("$sealed");
    expect(masking.got[0]?.data).toMatchObject({ email: expect.any(String), plan: "pro" });

    const opening = await open({ opensPersonalData: true });
    await opening.synap.waitFor((await opening.join("c-1")).position, opening.name);
    expect(opening.got[0]?.data).toEqual({ email: "Ada@Example.org", plan: "pro" });
  });

  it("is in the statistics of the store, with its checkpoint and what it is behind", async () => {
    const { synap, join, name } = await open();
    const { position } = await join("c-1");
    await synap.waitFor(position, name);
    const { handlers } = await storeStatistics(synap.database);
    expect(handlers.find((each) => each.name === name)).toMatchObject({ lag: 0 });
  });

  it("is paused and resumed, also before it has run", async () => {
    const { synap, join, got, name } = await open();
    await synap.waitFor((await join("c-1")).position, name);
    expect(await synap.sinks.pause(name, { by: "user:ops" })).toMatchObject({
      state: "paused",
      lagEvents: 0,
    });
    const { position } = await join("c-2");
    await expect.poll(async () => (await synap.sinks.get(name)).lagEvents).toBe(1);
    await synap.sinks.resume(name, { by: "user:ops" });
    await synap.waitFor(position, name);
    expect(got).toHaveLength(2);
    expect(await synap.sinks.status()).toMatchObject([{ name, state: "running", changedBy: "user:ops" }]);
    await expect(synap.sinks.pause("none", { by: "user:ops" })).rejects.toThrow(SinkNotFoundError);
  });

  it("is left to another process that has begun while its destination was opened", async () => {
    const { sink, name, got, isClosed } = collecting();
    const taken = "UPDATE synap.sinks SET runner = gen_random_uuid() WHERE name = $1";
    const slow: typeof sink = {
      ...sink,
      open: async (signal) => {
        await test.database.query(taken, [name]);
        return sink.open(signal);
      },
    };
    const { database } = test;
    const { catalogue } = defineConfig({ eventTypes: [joined, left] });
    const dispatcher = new EventDispatcher({ database, catalogue, sinks: [slow] });
    expect(await dispatcher.catchUp(name)).toEqual({ status: "busy" });
    expect([got, isClosed()]).toEqual([[], true]);
    await dispatcher.stopSinks();
  });

  it("has applied nothing when its outcomes don't fit the batch, late or not", async () => {
    const { sink, name } = collecting();
    let give: (events: readonly StoredEvent[]) => SinkOutcome[] = () => [];
    const careless: typeof sink = {
      ...sink,
      eventTypes: ["customer.left"],
      open: async (signal) => ({ ...(await sink.open(signal)), apply: async (events) => give(events) }),
    };
    const { database } = test;
    const { catalogue } = defineConfig({ eventTypes: [joined, left] });
    const event = catalogue.createSynapEvent({
      type: "customer.left",
      aggregateId: "careless",
      source: name,
      data: {},
    });
    const reading = new EventDispatcher({ database, catalogue, sinks: [careless], maxAttempts: 1 });
    cleanups.push(() => reading.stopSinks());
    await reading.store.append(event);
    const refused = { cause: { code: "SINK_OUTCOME" } };
    await expect(reading.catchUp(name)).rejects.toMatchObject(refused);
    give = (events) => events.map(() => ({ status: "waiting" }));
    await expect(reading.catchUp(name)).rejects.toMatchObject(refused);
    const failing: typeof give = (events) =>
      events.map(() => ({ status: "failed", error: new Error("refused") }));
    give = failing;
    await reading.store.append({ ...event, id: randomUUID() });
    await expect(reading.catchUp(name)).rejects.toMatchObject(refused);
    give = (events) => [
      ...failing(events.slice(0, 1)),
      ...events.slice(1).map(() => ({ status: "waiting" as const })),
    ];
    await reading.catchUp(name);
    const [deadLetter] = await reading.deadLetters.list({ handler: name, status: "open" });
    await reading.deadLetters.retry(deadLetter?.id ?? 0, { by: "user:ops" });
    give = (events) => events.map(() => ({ status: "waiting" }));
    await expect(reading.catchUp(name)).rejects.toMatchObject(refused);
    const late: string[] = [];
    give = (events) => {
      late.push(...events.map(({ id }) => id));
      return events.map(() => ({ status: "applied" }));
    };
    await reading.catchUp(name);
    expect(late[0]).toBe(event.id);
    expect(late).toHaveLength(2);
  });

  it("may leave a part of a batch for another call, unless it keeps the checkpoint", async () => {
    const { sink, name, got } = collecting();
    const calls: number[] = [];
    const slow: typeof sink = {
      ...sink,
      eventTypes: ["customer.left"],
      open: async (signal) => ({
        ...(await sink.open(signal)),
        apply: async (events) => {
          got.push(...events.slice(0, 2));
          calls.push(events.length);
          return events.map((_, index) => ({ status: index < 2 ? "applied" : "waiting" }));
        },
      }),
    };
    const { database } = test;
    const { catalogue } = defineConfig({ eventTypes: [joined, left] });
    const events = ["a", "a", "a", "b", "a"].map((aggregateId) =>
      catalogue.createSynapEvent({ type: "customer.left", aggregateId, source: name, data: {} }),
    );
    const reading = new EventDispatcher({ database, catalogue, sinks: [slow] });
    cleanups.push(() => reading.stopSinks());
    await reading.store.appendBatch(events);
    expect(await reading.catchUp(name)).toMatchObject({ status: "done", processed: 5 });
    expect(calls).toEqual([5, 3, 1]);
    expect(got.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    const keeping = { ...slow, name: `${name}-keeping`, promise: { ...slow.promise, keepsCheckpoint: true } };
    const other = new EventDispatcher({ database, catalogue, sinks: [keeping] });
    cleanups.push(() => other.stopSinks());
    await expect(other.catchUp(keeping.name)).rejects.toMatchObject({ cause: { code: "SINK_OUTCOME" } });
  });

  it("holds nothing for a process that stood still while another one took the sink", async () => {
    const { sink, name, got } = collecting();
    const { database } = test;
    const { catalogue } = defineConfig({ eventTypes: [joined, left] });
    const taking: typeof sink = { ...sink, eventTypes: ["customer.left"] };
    const standing: typeof sink = {
      ...taking,
      open: async (signal) => ({
        ...(await sink.open(signal)),
        apply: async (events) => {
          // The destination has refused them; before that is noted, the lease ends and another process applies them.
          await database.query("UPDATE synap.sinks SET leased_until = '-infinity' WHERE name = $1", [name]);
          await other.catchUp(name);
          return events.map(() => ({ status: "failed", error: new Error("refused") }));
        },
      }),
    };
    const other = new EventDispatcher({ database, catalogue, sinks: [taking] });
    const stood = new EventDispatcher({ database, catalogue, sinks: [standing] });
    cleanups.push(
      () => other.stopSinks(),
      () => stood.stopSinks(),
    );
    const event = catalogue.createSynapEvent({
      type: "customer.left",
      aggregateId: "c-1",
      source: name,
      data: {},
    });
    await other.store.append(event);
    await expect(stood.catchUp(name)).rejects.toMatchObject({ cause: { code: "SINK_POSITION" } });
    expect(await stood.catchUp(name)).toEqual({ status: "busy" });
    await database.query("UPDATE synap.held_streams SET retry_at = now() WHERE handler = $1", [name]);
    await other.catchUp(name);
    expect(got.map(({ id }) => id)).toEqual([event.id]);
  });

  it.each(["before", "after"])(
    "leaves out an event that was skipped, %s it was met again in a pass that had been interrupted",
    async (when) => {
      const { sink, name, got } = collecting();
      const { database } = test;
      const { catalogue } = defineConfig({ eventTypes: [joined, left] });
      const events = ["a", "a", "b"].map((aggregateId) =>
        catalogue.createSynapEvent({ type: "customer.left", aggregateId, source: name, data: {} }),
      );
      let isAway = false;
      const refusing: typeof sink = {
        ...sink,
        eventTypes: ["customer.left"],
        open: async (signal) => ({
          ...(await sink.open(signal)),
          apply: async (given) => {
            if (isAway) throw new Error("The destination is away.");
            isAway = given.length === events.length;
            if (isAway)
              return given.map((_, index) => ({
                status: index > 0 ? "waiting" : "failed",
                error: "refused",
              }));
            got.push(...given);
            return given.map(() => ({ status: "applied" }));
          },
        }),
      };
      const keeping = { ...refusing, promise: { ...refusing.promise, keepsCheckpoint: true } };
      const reading = new EventDispatcher({ database, catalogue, sinks: [keeping], maxAttempts: 1 });
      cleanups.push(() => reading.stopSinks());
      await reading.store.appendBatch(events);
      await expect(reading.catchUp(name)).rejects.toThrow("away");
      isAway = false;
      if (when === "after") await reading.catchUp(name);
      const [deadLetter] = await reading.deadLetters.list({ handler: name, status: "open" });
      expect(deadLetter?.eventId).toBe(events[0]?.id);
      await reading.deadLetters.skip(deadLetter?.id ?? 0, { by: "user:ops", reason: "a test" });
      for (let passes = 0; passes < 4; passes += 1) await reading.catchUp(name);
      expect(got.map(({ id }) => id).sort()).toEqual(
        events
          .slice(1)
          .map(({ id }) => id)
          .sort(),
      );
    },
  );

  it("gets fewer events after a call that took too long, and as many as before later", async () => {
    const { sink, name, got } = collecting({ timeoutMs: 100 });
    const calls: number[] = [];
    const slow: typeof sink = {
      ...sink,
      batch: 8,
      eventTypes: ["customer.left"],
      open: async (signal) => {
        const opened = await sink.open(signal);
        return {
          ...opened,
          apply: async (events, range) => {
            calls.push(events.length);
            if (events.length > 2 && got.length === 0) await new Promise(() => {});
            return opened.apply(events, range);
          },
        };
      },
    };
    const { database } = test;
    const { catalogue } = defineConfig({ eventTypes: [joined, left] });
    const events = Array.from({ length: 12 }, () =>
      catalogue.createSynapEvent({ type: "customer.left", aggregateId: "c-1", source: name, data: {} }),
    );
    const reading = new EventDispatcher({ database, catalogue, sinks: [slow] });
    cleanups.push(() => reading.stopSinks());
    await reading.store.appendBatch(events);
    for (let failures = 1; failures <= 2; failures += 1)
      await expect(reading.catchUp(name)).rejects.toMatchObject({ cause: { code: "SINK_TIMEOUT" } });
    for (let passes = 0; passes < 4; passes += 1) await reading.catchUp(name);
    expect(calls).toEqual([8, 4, 2, 3, 4, 3]);
    expect(got.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
  });

  it("stops at once while its destination is being opened, and does not begin afterwards", async () => {
    const { sink, name } = collecting({ timeoutMs: 40_000 });
    const { database } = test;
    const { catalogue } = defineConfig({ eventTypes: [joined, left] });
    let opening = () => {};
    const begun = new Promise<void>((resolve) => {
      opening = resolve;
    });
    const hanging: typeof sink = {
      ...sink,
      open: (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(new Error("ended")));
          opening();
        }),
    };
    const reading = new EventDispatcher({ database, catalogue, sinks: [hanging] });
    const pass = expect(reading.catchUp(name)).rejects.toThrow("ended");
    await begun;
    await reading.stopSinks();
    await pass;
    // Its last pass has failed, but nobody tries again.
    await reading.recordPassFailure(
      new HandlerPassError({ handler: name, checkpoint: name, attempts: 1, transient: true, cause: "ended" }),
      1_000,
    );
    expect(await reading.sinks.get(name)).toMatchObject({ state: "stopped", failure: "ended" });
  });

  it("is closed with the application", async () => {
    const { synap, join, isClosed, name } = await open();
    await synap.waitFor((await join("c-1")).position, name);
    await synap.close();
    cleanups.length = 0;
    expect(isClosed()).toBe(true);
  });

  it("must have a name of its own, event types that are defined, and bounds", () => {
    const { sink, name } = collecting();
    expect(() => defineConfig({ eventTypes: [joined], sinks: [sink, sink] })).toThrow(
      `config.sinks[1]: the handler, projection or sink "${name}" is already at config.sinks[0]; rename or remove one`,
    );
    expect(() => defineConfig({ sinks: [sink] })).toThrow(`"${name}" names event types that no module has`);
    expect(() => collecting({ batch: 0 })).toThrow(RangeError);
    expect(() => collecting({ timeoutMs: 60_000 })).toThrow(RangeError);
  });
});
