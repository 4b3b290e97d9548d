import { createEventStore, sqlState, syncEventTypes } from "@synap/database/internal";
import { postEvent, testEngines } from "@synap/database/testing";
import type { IEventHandler } from "@synap/handlers";
import { EventDispatcher } from "@synap/handlers/internal";
import {
  createSynapEvent,
  EventValidationError,
  MAX_EVENT_BYTES,
  type SynapEvent,
  seedCatalogue,
} from "@synap/types";
import { eventOfBytes, fillings } from "@synap/types/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readResponse } from "../testing/read-response.ts";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";

const TAKEN = "taken";
const TOO_LARGE = "event-too-large";

describe.each(testEngines())("the largest event (%s)", (engine) => {
  let api: TestApi;
  let wanted: SynapEvent | undefined;
  /** Answers a note with the event that the test has put ready. */
  const echo: IEventHandler = {
    name: "echo",
    description: "Appends what the test wants.",
    eventTypes: ["note.creation.completed"],
    mode: "async",
    handle: async (_events, { tryAppend }) => {
      if (wanted === undefined) return;
      const [outcome] = await tryAppend([wanted]);
      if (outcome?.status === "rejected") throw new EventValidationError(outcome.issues);
    },
  };

  beforeAll(async () => {
    api = await startTestApi({}, engine);
    await syncEventTypes(api.database, seedCatalogue);
  });
  afterAll(() => api.stop());

  const post = async (path: string, body: string, type = "application/json") =>
    readResponse(
      await fetch(`${api.url}${path}`, { method: "POST", body, headers: { "content-type": type } }),
    );
  const single = async (path: string, body: string) => {
    const { status, body: response } = await post(path, body);
    if (status < 300) return TAKEN;
    expect(status).toBe(413);
    expect(response.errors[0]?.reason).toContain(`at most ${MAX_EVENT_BYTES}`);
    return response.code;
  };
  const batch = async (body: string, type?: string) => {
    const { body: response } = await post("/api/v1/events/batch", body, type);
    const [result] = response.results;
    return result?.status === "rejected" ? result.code : TAKEN;
  };
  const issueOf = (error: unknown) => {
    if (!(error instanceof EventValidationError)) throw error;
    return error.issues[0]?.code;
  };

  const entries: Readonly<Record<string, (event: SynapEvent) => Promise<string | undefined>>> = {
    createSynapEvent: async (event) => {
      try {
        seedCatalogue.parseSynapEvent(event);
        return TAKEN;
      } catch (error) {
        return issueOf(error);
      }
    },
    "an append in process": async (event) => {
      const store = createEventStore({ database: api.database, catalogue: seedCatalogue });
      const outcome = await store.append(event);
      return outcome.status === "rejected" ? outcome.issues[0]?.code : TAKEN;
    },
    "a batch in process": async (event) => {
      const store = createEventStore({ database: api.database, catalogue: seedCatalogue });
      const [outcome] = await store.appendBatch([event]);
      return outcome?.status === "rejected" ? outcome.issues[0]?.code : TAKEN;
    },
    "an append to a stream in process": async ({ aggregateType, aggregateId, ...event }) => {
      const store = createEventStore({ database: api.database, catalogue: seedCatalogue });
      try {
        await store.appendToStream({ aggregateType, aggregateId }, "no-stream", [event]);
        return TAKEN;
      } catch (error) {
        return issueOf(error);
      }
    },
    "a handler's append": async (event) => {
      const dispatcher = new EventDispatcher({
        database: api.database,
        catalogue: seedCatalogue,
        handlers: [echo],
        maxAttempts: 1,
      });
      const { store } = dispatcher;
      wanted = event;
      await store.append(createSynapEvent({ type: "note.creation.completed", data: { content: "now" } }));
      for (let isMore = true; isMore; ) {
        const pass = await dispatcher.catchUp(echo.name);
        isMore = pass.status !== "done" || !pass.caughtUp;
      }
      if ((await store.getById(event.id)) !== undefined) return TAKEN;
      const [deadLetter] = await api.database.query<{ reason: string }>(
        "SELECT reason FROM synap.dead_letters WHERE handler = 'echo' ORDER BY id DESC LIMIT 1",
      );
      return deadLetter?.reason.includes(`at most ${MAX_EVENT_BYTES}`) ? TOO_LARGE : deadLetter?.reason;
    },
    SQL: async (event) => {
      try {
        await postEvent(api.database, event);
        return TAKEN;
      } catch (error) {
        if (sqlState(error) !== "SY010" || !(error instanceof Error)) throw error;
        return error.message.includes("at most 245760") ? TOO_LARGE : error.message;
      }
    },
    "POST /events": (event) => single("/api/v1/events", JSON.stringify(event)),
    "POST /events/batch": (event) => batch(JSON.stringify([event])),
    "POST /events/batch as lines": (event) => batch(JSON.stringify(event), "application/x-ndjson"),
    "POST /streams": ({ aggregateType, aggregateId, ...event }) =>
      single(`/api/v1/streams/${aggregateType}/${aggregateId}/events`, JSON.stringify({ events: [event] })),
  };

  describe.each(Object.entries(fillings))("of %s", (_, fill) => {
    it.each(Object.entries(entries))("is taken, and one byte more is not, by %s", async (_, offer) => {
      expect(await offer(eventOfBytes(MAX_EVENT_BYTES, fill))).toBe(TAKEN);
      expect(await offer(eventOfBytes(MAX_EVENT_BYTES + 1, fill))).toBe(TOO_LARGE);
    });
  });

  it("goes to the broker in an envelope of its default size", async () => {
    const event = eventOfBytes(MAX_EVENT_BYTES, (bytes) => "x".repeat(bytes));
    expect((await post("/api/v1/events", JSON.stringify(event))).status).toBe(202);
    expect(api.broker.received.length).toBeGreaterThan(0);
  });
});
