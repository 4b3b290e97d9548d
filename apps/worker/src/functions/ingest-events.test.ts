import { randomUUID } from "node:crypto";
import { type Database, DatabaseUnavailableError, type SqlParameter } from "@synap/database";
import { listDeadLetters } from "@synap/database/internal";
import { describeOnEveryEngine } from "@synap/database/testing";
import { type IEventHandler, TransientHandlerError } from "@synap/handlers";
import { EventDispatcher, packEvents } from "@synap/handlers/internal";
import { defaultApplication } from "@synap/synap/internal";
import { createSynapEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import { ENVELOPE_EVENT_NAME } from "@synap/types/internal";
import { afterEach, expect, it, vi } from "vitest";
import { z } from "zod";
import { type BrokerAndWorker, startBrokerAndWorker } from "../../testing/broker-and-worker.ts";

const note = (content: string, id: string = randomUUID()): SynapEvent =>
  createSynapEvent({ type: "note.creation.completed", aggregateId: id, data: { content } });

/** An inline handler through which a test makes appends fail. */
const inline = (handle: IEventHandler["handle"]): IEventHandler => ({
  name: "test-inline",
  description: "Does what the test wants.",
  eventTypes: ["note.creation.completed"],
  mode: "inline",
  handle,
});

describeOnEveryEngine("ingest-events", (engine) => {
  let running: BrokerAndWorker | undefined;
  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });

  async function start(
    ...parts: Parameters<typeof startBrokerAndWorker> extends [unknown, ...infer Rest] ? Rest : []
  ) {
    running = await startBrokerAndWorker(engine.database, ...parts);
    return running;
  }
  const stored = async (events: readonly SynapEvent[]) => {
    const rows = await engine.database.query<{ id: string }>(
      "SELECT id FROM synap.events WHERE id = ANY (ARRAY(SELECT jsonb_array_elements_text($1::text::jsonb))::uuid[]) ORDER BY position",
      [JSON.stringify(events.map((event) => event.id))],
    );
    return rows.map((row) => row.id);
  };
  const pack = async (events: readonly SynapEvent[]) => ({
    ...(await packEvents(events, JSON.stringify(events))),
  });
  const formsOf = {
    plain: async (events: readonly SynapEvent[]) => ({ events }),
    packed: pack,
  } as const;
  const forms = ["plain", "packed"] as const;
  const ids = (events: readonly SynapEvent[]) => events.map((event) => event.id);
  const deadLettersOf = (handler: string) => listDeadLetters(engine.database, { handler });
  // Less than the minute after which the broker polls its queue, so it must have been woken.
  const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 45_000, interval: 50 });
  const lastRun = async () => (await running?.runs("ingest-events"))?.at(-1);

  it("stores published events and shows a readable result", async () => {
    const { publish } = await start({ handlers: [inline(async () => {})] });
    const events = [note("a"), note("b")];
    await publish({ events });
    await eventually(async () => expect(await stored(events)).toEqual(ids(events)));
    await eventually(async () =>
      expect(await lastRun()).toMatchObject({
        status: "completed",
        output: { events: 2, stored: 2, duplicates: 0, rejected: 0, handlers: { "test-inline": 2 } },
      }),
    );
  });

  it("stores the events of a packed envelope, in their order, and refuses a bad one alone", async () => {
    const { publish } = await start();
    const events = Array.from({ length: 300 }, (_, index) => note(`packed ${index} ✓`));
    const bad = { ...note("bad"), data: { content: 7 } };
    const sent: readonly SynapEvent[] = [...events, bad];
    await publish(await pack(sent));
    await eventually(async () => expect(await stored(sent)).toEqual(ids(events)));
    await eventually(async () =>
      expect(await lastRun()).toMatchObject({ output: { events: 301, stored: 300, rejected: 1 } }),
    );
    const deadLetters = await deadLettersOf("ingest-events");
    expect(deadLetters.find(({ eventId }) => eventId === bad.id)?.event).toEqual(bad);
  });

  it("processes a note request up to the row", async () => {
    const { publish } = await start({ handlers: defaultApplication.handlers, residentHandlers: true });
    const request = createSynapEvent({
      type: "note.creation.requested",
      aggregateId: randomUUID(),
      data: { content: "Call Acme" },
    });
    await publish({ events: [request] });
    await eventually(async () =>
      expect(
        await engine.database.query("SELECT content, correlation_id FROM synap_read.notes WHERE id = $1", [
          request.aggregateId,
        ]),
      ).toEqual([{ content: "Call Acme", correlation_id: request.id }]),
    );
  });

  it("stores an event once, however often its envelope is delivered", async () => {
    const handled: string[] = [];
    const remember = inline(async (events) => void handled.push(...events.map(({ id }) => id)));
    const { publish, runs } = await start({ handlers: [remember] });
    const events = [note("a"), note("b")];
    const before = (await runs("ingest-events")).length;
    for (let delivery = 0; delivery < 3; delivery += 1) await publish({ events });
    await eventually(async () => expect((await runs("ingest-events")).length).toBe(before + 3));
    expect(await stored(events)).toEqual(ids(events));
    expect(handled).toEqual(ids(events));
  });

  it("records a refused event as one dead letter, unchanged, and stores the others", async () => {
    const { publish, runs } = await start();
    const events = [note("good"), note("bad"), note("good too")];
    const bad = { ...note("bad"), data: { content: 7 } };
    const before = (await runs("ingest-events")).length;
    await publish({ events: [events[0], bad, events[2]] });
    await publish({ events: [events[0], bad, events[2]] });
    await eventually(async () => expect((await runs("ingest-events")).length).toBe(before + 2));
    expect(await stored(events)).toEqual([events[0]?.id, events[2]?.id]);
    const deadLetters = (await deadLettersOf("ingest-events")).filter(
      (deadLetter) => deadLetter.eventId === bad.id,
    );
    expect(deadLetters).toHaveLength(1);
    expect(deadLetters[0]?.event).toEqual(bad);
    expect(deadLetters[0]?.reason).toContain("data.content");
  });

  it("stores an event that was queued for longer than the maximum age of live events", async () => {
    const { publish } = await start();
    const event = { ...note("late"), timestamp: "2020-02-03T04:05:06.789Z" };
    await publish({ events: [event] });
    await eventually(async () => expect(await stored([event])).toEqual([event.id]));
  });

  it("records an unreadable envelope as a dead letter, with the reason, unchanged and without retries", async () => {
    const { publish, runs } = await start();
    const marker = randomUUID();
    const { gzip, ...packed } = await pack([note("x")]);
    const unreadable: readonly [Readonly<Record<string, unknown>>, string][] = [
      [{ events: "none", marker }, "events must be an array"],
      [{ ...packed, gzip: gzip.slice(0, 40), marker }, "gzip cannot be decompressed"],
      [{ ...packed, gzip, count: 2, marker }, "gzip contains 1 event, and count is 2"],
      [{ ...packed, gzip, events: [note("x")], marker }, "both events and gzip"],
    ];
    for (const [data, reason] of unreadable) {
      const before = (await runs("ingest-events-failure")).length;
      await publish(data);
      await eventually(async () => expect((await runs("ingest-events-failure")).length).toBe(before + 1));
      expect(await lastRun()).toMatchObject({ status: "failed" });
      expect((await runs("ingest-events-failure")).at(-1)?.output).toBe(
        "the unreadable envelope is a dead letter",
      );
      const [deadLetter] = await deadLettersOf("ingest-events");
      expect(deadLetter).toMatchObject({
        code: "envelope-unreadable",
        reason: expect.stringContaining(reason),
        attempts: 1,
      });
      expect(deadLetter?.event).toEqual(data);
    }
    const deadLetters = (await deadLettersOf("ingest-events")).filter(
      ({ code, event }) => code === "envelope-unreadable" && JSON.stringify(event).includes(marker),
    );
    expect(deadLetters).toHaveLength(unreadable.length);
  });

  it("retries soon when the store is unavailable, and loses nothing", async () => {
    const event = note("patience");
    let failures = 2;
    const { publish } = await start({
      handlers: [
        inline(async () => {
          failures -= 1;
          if (failures >= 0) throw new TransientHandlerError("the store is away");
        }),
      ],
    });
    await publish({ events: [event] });
    await eventually(async () => expect(await stored([event])).toEqual([event.id]));
    expect(failures).toBe(-1);
    expect(await deadLettersOf("test-inline")).toEqual([]);
  });

  it("stores events whose inline handler times out each time, as dead letters of that handler", async () => {
    const [slow, other] = [note("slow"), note("quick")];
    const { call } = await start({
      handlers: [
        inline(async (events, { transaction }) => {
          if (!events.some(({ id }) => id === slow.id)) return;
          // The embedded engine has no time limit, and raises what a server does.
          if (engine.engine === "server") await transaction.query("SET LOCAL statement_timeout = '5ms'");
          await transaction.query(
            engine.engine === "server"
              ? "SELECT pg_sleep(60)"
              : "DO $$ BEGIN RAISE EXCEPTION 'too slow' USING ERRCODE = '57014'; END $$",
          );
        }),
      ],
    });
    const envelope = { name: ENVELOPE_EVENT_NAME, data: { events: [slow, other] } };
    // The broker's own attempts are minutes apart.
    for (const attempt of [0, 7]) {
      expect(await call("ingest-events", envelope, { attempt })).toMatchObject({
        name: "StoreUnavailableError",
      });
      expect(await stored([slow, other])).toEqual([]);
    }
    expect(await call("ingest-events", envelope, { attempt: 8 })).toMatchObject({
      events: 2,
      stored: 2,
      deadLettered: 0,
    });
    expect(await stored([slow, other])).toEqual(ids([slow, other]));
    expect(await deadLettersOf("test-inline")).toMatchObject([{ eventId: slow.id, code: "sqlstate-57014" }]);
  });

  it.each(forms)(
    "publishes the envelope again, unchanged, when the retries run out while the store is unavailable (%s)",
    async (form) => {
      const event = note("long patience");
      const envelope = await formsOf[form]([event]);
      const again: unknown[] = [];
      let failures = 3;
      const { publish, runs } = await start({
        ingestRetries: 1,
        fetch: (input, init) => {
          if (String(input).includes("/e/")) again.push(...JSON.parse(String(init?.body)));
          return fetch(input, init);
        },
        handlers: [
          inline(async () => {
            failures -= 1;
            if (failures >= 0) throw new TransientHandlerError("the store is away");
          }),
        ],
      });
      await publish(envelope);
      await eventually(async () => expect(await stored([event])).toEqual([event.id]));
      expect((await runs("ingest-events-failure")).at(-1)?.output).toMatchObject({
        publishedAgain: expect.stringContaining(".again."),
      });
      expect(again).toMatchObject([{ data: envelope }]);
      expect((await deadLettersOf("ingest-events")).map((deadLetter) => deadLetter.eventId)).not.toContain(
        event.id,
      );
    },
  );

  it("records the envelope as a dead letter when Inngest does not accept it again either", async () => {
    const event = note("nowhere to go");
    const { publish, runs } = await start({
      ingestRetries: 0,
      handlers: [inline(() => Promise.reject(new TransientHandlerError("the store is away")))],
      fetch: (input, init) =>
        String(input).includes("/e/") ? Promise.reject(new TypeError("no route")) : fetch(input, init),
    });
    await publish({ events: [event] });
    await eventually(async () =>
      expect((await runs("ingest-events-failure")).at(-1)?.output).toMatchObject({
        deadLetter: expect.any(Number),
      }),
    );
    const deadLetters = (await deadLettersOf("ingest-events")).filter(
      ({ code }) => code === "envelope-undeliverable",
    );
    expect(deadLetters).toMatchObject([{ event: { events: [event] } }]);
  });

  it.each(forms)(
    "records the envelope as a dead letter when its run is cancelled, and a retry stores its events (%s)",
    async (form) => {
      const events = [note("cancelled"), note("cancelled too")];
      const envelope = await formsOf[form](events);
      const { call } = await start();
      // The local broker cancels nothing, so this imitates an Inngest server.
      await call("ingest-events-failure", {
        name: "inngest/function.cancelled",
        data: {
          function_id: "synap-ingest-events",
          run_id: randomUUID(),
          event: { id: randomUUID(), name: "synap/events.published", data: envelope },
        },
      });
      const [deadLetter] = (await deadLettersOf("ingest-events")).filter(
        ({ code, status }) => code === "envelope-cancelled" && status === "open",
      );
      expect(deadLetter?.event).toEqual(envelope);
      const dispatcher = new EventDispatcher({ database: engine.database, catalogue: seedCatalogue });
      await dispatcher.deadLetters.retry(deadLetter?.id ?? 0, { by: "user:ops" });
      expect(await stored(events)).toEqual(ids(events));
    },
  );

  it("retries recording an envelope while the store is unavailable and Inngest accepts nothing", async () => {
    const event = note("everything is away");
    let isAway = true;
    const down = () => Promise.reject(new DatabaseUnavailableError("away"));
    const database: Database = new Proxy(engine.database, {
      get: (target, name, receiver) =>
        name === "query"
          ? (text: string, parameters: SqlParameter[]) =>
              isAway && text.includes("dead_letters") ? down() : target.query(text, parameters)
          : Reflect.get(target, name, receiver),
    });
    const { runs, publish, failedAttempts } = await start({
      ingestRetries: 0,
      handlers: [inline(() => Promise.reject(new TransientHandlerError("the store is away")))],
      database,
      fetch: (input, init) =>
        String(input).includes("/e/") ? Promise.reject(new TypeError("no route")) : fetch(input, init),
    });
    const before = (await runs("ingest-events-failure")).length;
    await publish({ events: [event] });
    // Inngest grants an onFailure function two attempts; a third one is due.
    await eventually(async () => expect(await failedAttempts("ingest-events-failure")).toBe(2));
    isAway = false;
    await eventually(async () => expect((await runs("ingest-events-failure")).length).toBe(before + 1));
    const deadLetters = (await deadLettersOf("ingest-events")).filter(({ event: kept }) =>
      JSON.stringify(kept).includes(event.id),
    );
    expect(deadLetters).toMatchObject([{ code: "envelope-undeliverable", status: "open" }]);
  });

  it("pauses before Inngest's attempts run out while no dead letter can be written, and records it afterwards", async () => {
    const event = note("no dead letter can be written");
    let isAway = true;
    const database: Database = new Proxy(engine.database, {
      get: (target, name, receiver) =>
        name === "query"
          ? (text: string, parameters: SqlParameter[]) =>
              isAway && text.includes("dead_letters")
                ? Promise.reject(new DatabaseUnavailableError("away"))
                : target.query(text, parameters)
          : Reflect.get(target, name, receiver),
    });
    const { call } = await start({ database });
    const cancelled = {
      name: "inngest/function.cancelled",
      data: {
        function_id: "synap-ingest-events",
        run_id: randomUUID(),
        event: { id: randomUUID(), name: "synap/events.published", data: { events: [event] } },
      },
    };
    const pauses = z.tuple([
      z.looseObject({ op: z.literal("Sleep"), id: z.string(), name: z.literal("1h") }),
    ]);
    const failing = (run: { attempt: number; steps?: Record<string, null> }) =>
      call("ingest-events-failure", cancelled, run);
    const [first] = pauses.parse(await failing({ attempt: 15 }));
    const ended = { [first.id]: null };
    // Inngest counts from 0 again after a pause, and remembers it.
    expect(await failing({ attempt: 0, steps: ended })).toMatchObject({ name: "StoreUnavailableError" });
    const [second] = pauses.parse(await failing({ attempt: 15, steps: ended }));
    expect(second.id).not.toBe(first.id);
    isAway = false;
    await failing({ attempt: 0, steps: { ...ended, [second.id]: null } });
    const deadLetters = (await deadLettersOf("ingest-events")).filter(({ event: kept }) =>
      JSON.stringify(kept).includes(event.id),
    );
    expect(deadLetters).toMatchObject([{ code: "envelope-cancelled", status: "open" }]);
  });

  it("records Inngest's whole report of a failed run when its format is unknown", async () => {
    const event = note("in a report of another form");
    const { call } = await start();
    const data = { function_id: "synap-ingest-events", runs: [{ input: { events: [event] } }] };
    await call("ingest-events-failure", { name: "inngest/function.failed", data }, { attempt: 0 });
    const deadLetters = (await deadLettersOf("ingest-events")).filter(({ event: kept }) =>
      JSON.stringify(kept).includes(event.id),
    );
    expect(deadLetters).toMatchObject([{ code: "envelope-unreadable", status: "open", event: data }]);
  });

  it.each(forms)(
    "stores the events one by one when the retries run out for another reason: only the poison event becomes a dead letter (%s)",
    async (form) => {
      // A constraint that is only checked at commit is out of reach of the handler's savepoint.
      await engine.database.asOwner((owner) =>
        owner.execute(`
        DROP TABLE IF EXISTS public.checked_at_commit;
        CREATE TABLE public.checked_at_commit (content text UNIQUE DEFERRABLE INITIALLY DEFERRED);
        GRANT INSERT ON public.checked_at_commit TO synap_app;`),
      );
      const events = ["good", "poison", "good too"].map((content) => note(content));
      const { publish, runs } = await start({
        ingestRetries: 0,
        handlers: [
          inline(async (batch, { transaction }) => {
            for (const { data } of batch) {
              const rows = data["content"] === "poison" ? "('twice'), ('twice')" : `('${randomUUID()}')`;
              await transaction.query(`INSERT INTO public.checked_at_commit VALUES ${rows}`);
            }
          }),
        ],
      });
      await publish(await formsOf[form](events));
      await eventually(async () => expect(await stored(events)).toEqual([events[0]?.id, events[2]?.id]));
      await eventually(async () =>
        expect((await runs("ingest-events-failure")).at(-1)?.output).toEqual({
          events: 3,
          stored: 2,
          deadLettered: 1,
        }),
      );
      const [deadLetter] = (await deadLettersOf("ingest-events")).filter(
        ({ eventId }) => eventId === events[1]?.id,
      );
      expect(deadLetter).toMatchObject({ code: "sqlstate-23505", attempts: 1, event: events[1] });
    },
  );
});
