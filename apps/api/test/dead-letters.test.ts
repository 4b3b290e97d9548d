import { recordDeadLetter } from "@synap/database/internal";
import { testEngines } from "@synap/database/testing";
import { defineSink, type IEventHandler, TransientHandlerError } from "@synap/handlers";
import { EventDispatcher, keepAccepted } from "@synap/handlers/internal";
import { createSynapEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callAdmin } from "../testing/call-admin.ts";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";

const note = (stream: string, content: string): SynapEvent =>
  createSynapEvent({ type: "note.creation.completed", aggregateId: stream, data: { content } });

describe.each(testEngines())("the routes of dead letters (%s)", (engine) => {
  let api: TestApi;
  let failure: Error | undefined;
  const handled: string[] = [];
  const fussy: IEventHandler = {
    name: "fussy",
    description: "Refuses what is bad.",
    mode: "inline",
    eventTypes: ["note.creation.completed"],
    async handle(events) {
      for (const { data } of events) {
        if (failure !== undefined && String(data["content"]).startsWith("bad")) throw failure;
        handled.push(String(data["content"]));
      }
    },
  };

  const sink = defineSink({
    name: "outside",
    description: "Is run by workers.",
    eventTypes: ["note.creation.completed"],
    promise: {
      destination: "none",
      ordered: true,
      transactional: false,
      idempotent: false,
      guarantee: "at least once",
      keepsCheckpoint: false,
    },
    open: () => Promise.reject(new Error("The API opens no destination.")),
  });

  beforeAll(async () => {
    api = await startTestApi({}, engine, { handlers: [fussy], sinks: [sink] });
  });
  afterAll(() => api.stop());

  /** Stores events while the handler refuses the bad ones, and gives the number of the newest dead letter. */
  async function letterOf(stream: string, ...contents: string[]): Promise<number> {
    failure = new RangeError("bad is refused");
    const { database } = api;
    const { store } = new EventDispatcher({ database, catalogue: seedCatalogue, handlers: [fussy] });
    for (const content of contents) await store.append(note(stream, content));
    const { body } = await callAdmin(api.url, `/dead-letters?aggregateId=${stream}&aggregateType=note`);
    handled.length = 0;
    return body.deadLetters[0].id;
  }

  it("list them newest first, page by page, without their events", async () => {
    for (const stream of ["l1", "l2", "l3"]) await letterOf(stream, `bad ${stream}`);
    const seen: string[] = [];
    let cursor = "";
    for (let pages = 0; pages < 5; pages += 1) {
      const { status, body } = await callAdmin(api.url, `/dead-letters?limit=2&handler=fussy${cursor}`);
      expect(status).toBe(200);
      for (const deadLetter of body.deadLetters) {
        expect(deadLetter).not.toHaveProperty("event");
        expect(deadLetter).toMatchObject({
          code: "range-error",
          reason: "bad is refused",
          status: "open",
          eventType: "note.creation.completed",
        });
        seen.push(deadLetter.stream.aggregateId);
      }
      if (body.nextCursor === undefined) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(seen).toEqual(["l3", "l2", "l1"]);
    for (const wrong of [`&status=open${cursor}`, "&cursor=1"]) {
      const { status, body } = await callAdmin(api.url, `/dead-letters?handler=fussy${wrong}`);
      expect([status, body.code, body.errors[0].path]).toEqual([400, "cursor-invalid", "cursor"]);
    }
    expect((await callAdmin(api.url, "/dead-letters?handler=ingest-events")).body).toEqual({
      deadLetters: [],
    });
    expect((await callAdmin(api.url, "/dead-letters?status=closed")).body.code).toBe("parameter-invalid");
  });

  it("are not looked for under a name that no handler and no dead letter has", async () => {
    const refused = (path: string, meant: string) => ({
      status: 400,
      body: { code: "filter-unknown", errors: [{ path }], detail: expect.stringContaining(meant) },
    });
    expect(await callAdmin(api.url, "/dead-letters?handler=fusy")).toMatchObject(
      refused("handler", '"fussy"'),
    );
    expect(await callAdmin(api.url, "/dead-letters?aggregateType=noet")).toMatchObject(
      refused("aggregateType", '"note"'),
    );
    const retry = { method: "POST", body: { handler: "fusy" } };
    expect(await callAdmin(api.url, "/dead-letters/retry", retry)).toMatchObject(
      refused("handler", '"fussy"'),
    );
  });

  it("show one with its event and how many wait behind it", async () => {
    const id = await letterOf("one", "bad", "second", "third");
    const { body } = await callAdmin(api.url, `/dead-letters/${id}`);
    expect(body).toMatchObject({ id, parked: 2, event: { data: { content: "bad" }, aggregateId: "one" } });
    const { body: status } = await callAdmin(api.url, "/status");
    const fussyStatus = status.handlers.find((one: { name: string }) => one.name === "fussy");
    expect(fussyStatus).toMatchObject({ deadLetters: status.deadLetters, parkedEvents: 2 });
  });

  it("leave the retry of one of a sink to the process that runs the sink, and show both in the status", async () => {
    const event = note("outside", "refused");
    const { store } = new EventDispatcher({ database: api.database, catalogue: seedCatalogue });
    const stored = await store.append(event);
    const position = stored.status === "stored" ? stored.position : 0;
    const found = await store.getById(event.id);
    const [held] = await api.database.transaction(async (transaction) => {
      const { id } = await recordDeadLetter(transaction, {
        handler: sink.name,
        event: found,
        position,
        stream: { aggregateType: "note", aggregateId: "outside" },
        code: "range-error",
        reason: "refused",
        attempts: 1,
      });
      await transaction.query(
        `INSERT INTO synap.held_streams (handler, aggregate_type, aggregate_id, dead_letter_id) VALUES ($1, 'note', 'outside', $2)`,
        [sink.name, id],
      );
      return [id];
    });
    const statusOf = async () => {
      const { body } = await callAdmin(api.url, "/status");
      return body.handlers.find((one: { name: string }) => one.name === sink.name);
    };
    expect(await statusOf()).toMatchObject({ description: sink.description, mode: "async", deadLetters: 1 });
    const { status, body } = await callAdmin(api.url, `/dead-letters/${held}/retry`, { method: "POST" });
    expect([status, body]).toMatchObject([200, { status: "retried", released: 0, parked: 1 }]);
    expect(await statusOf()).toMatchObject({ deadLetters: 0, parkedEvents: 1 });
    expect(
      await api.database.query("SELECT dead_letter_id FROM synap.held_streams WHERE handler = $1", [
        sink.name,
      ]),
    ).toEqual([{ dead_letter_id: null }]);
  });

  it("retry one: its event, then what waited, in order; who and when is kept", async () => {
    const id = await letterOf("again", "bad", "second", "third");
    const failed = await callAdmin(api.url, `/dead-letters/${id}/retry`, { method: "POST" });
    expect([failed.status, failed.body]).toMatchObject([
      200,
      { id, status: "open", failure: { reason: "bad is refused" }, parked: 2 },
    ]);
    failure = undefined;
    const before = Date.now();
    const worked = await callAdmin(api.url, `/dead-letters/${id}/retry`, {
      method: "POST",
      headers: { "x-synap-actor": "Ada Lovelace" },
    });
    expect(worked.body).toEqual({ id, status: "retried", released: 2, parked: 0 });
    expect(handled).toEqual(["bad", "second", "third"]);
    const { body } = await callAdmin(api.url, `/dead-letters/${id}`);
    expect(body).toMatchObject({ status: "retried", resolvedBy: "Ada Lovelace", attempts: 3 });
    expect(Date.parse(body.resolvedAt)).toBeGreaterThan(before - 60_000);
    const twice = await callAdmin(api.url, `/dead-letters/${id}/retry`, { method: "POST" });
    expect([twice.status, twice.body.code]).toEqual([409, "dead-letter-resolved"]);
  });

  it("skip one for a reason; without X-Synap-Actor it was the token's holder", async () => {
    const id = await letterOf("leave", "bad", "second");
    const skip = (body: unknown) => callAdmin(api.url, `/dead-letters/${id}/skip`, { method: "POST", body });
    for (const body of [{}, { reason: "  " }, { reason: 1 }, [], { reason: "x", more: 1 }]) {
      const response = await skip(body);
      expect([response.status, response.body.code]).toEqual([400, "body-invalid"]);
    }
    expect((await skip({ reason: "a test" })).body).toEqual({
      id,
      status: "skipped",
      released: 1,
      parked: 0,
    });
    expect(handled).toEqual(["second"]);
    expect((await callAdmin(api.url, `/dead-letters/${id}`)).body).toMatchObject({
      status: "skipped",
      resolution: "a test",
      resolvedBy: "agent:service:tests",
    });
  });

  it("leave the dead letter as it is when what the handler needs is away", async () => {
    const id = await letterOf("away", "bad");
    failure = new TransientHandlerError("the mail server is away");
    const response = await callAdmin(api.url, `/dead-letters/${id}/retry`, { method: "POST" });
    expect([response.status, response.body.code]).toEqual([503, "handler-unavailable"]);
    expect(response.body.detail).toContain("the mail server is away");
    expect((await callAdmin(api.url, `/dead-letters/${id}`)).body.attempts).toBe(1);
  });

  it("know what does not exist", async () => {
    for (const [method, path] of [
      ["GET", "/dead-letters/999999"],
      ["POST", "/dead-letters/999999/retry"],
    ] as const) {
      const response = await callAdmin(api.url, path, { method });
      expect([response.status, response.body.code]).toEqual([404, "dead-letter-not-found"]);
    }
    expect((await callAdmin(api.url, "/dead-letters/abc")).body.code).toBe("parameter-invalid");
  });

  it("store an accepted event that the store had refused, one by its number and many by a filter", async () => {
    const refused = async (content: unknown, reason: string) =>
      keepAccepted(
        api.database,
        { ...note("accepted", "x"), data: { content } },
        { code: "a-test", reason, attempts: 1 },
      );
    const numbers = [await refused("one", "1"), await refused(7, "2"), await refused("three", "3")];
    const alone = await callAdmin(api.url, `/dead-letters/${numbers[0]}/retry`, { method: "POST" });
    expect([alone.status, alone.body]).toEqual([
      200,
      {
        id: numbers[0],
        status: "retried",
        resolution: expect.stringMatching(/^stored at position \d+$/),
        released: 0,
        parked: 0,
      },
    ]);
    const retry = (body: unknown) => callAdmin(api.url, "/dead-letters/retry", { method: "POST", body });
    const { status, body } = await retry({ handler: "ingest-events", code: "a-test" });
    expect([status, body]).toMatchObject([
      200,
      {
        outcomes: [
          { id: numbers[1], status: "open", failure: { code: "wrong-type" } },
          { id: numbers[2], status: "retried" },
        ],
      },
    ]);
    expect((await retry({ code: "a-test" })).body).toEqual({ outcomes: [] });
    for (const wrong of [
      { limit: 0 },
      { limit: 101 },
      { after: -1 },
      { handler: "" },
      { code: "a\0" },
      { more: 1 },
      [],
    ]) {
      const response = await retry(wrong);
      expect([response.status, response.body.code], JSON.stringify(wrong)).toEqual([400, "body-invalid"]);
    }
  });

  it("refuse to retry for a handler that this process has not", async () => {
    const { id } = await recordDeadLetter(api.database, {
      handler: "elsewhere",
      event: note("elsewhere", "x"),
      code: "a-test",
      reason: "x",
      attempts: 1,
    });
    const response = await callAdmin(api.url, `/dead-letters/${id}/retry`, { method: "POST" });
    expect([response.status, response.body.code]).toEqual([409, "dead-letter-not-retryable"]);
    const many = await callAdmin(api.url, "/dead-letters/retry", {
      method: "POST",
      body: { handler: "elsewhere" },
    });
    expect(many.body.outcomes).toMatchObject([
      { id, status: "open", failure: { code: "dead-letter-not-retryable" } },
    ]);
  });

  it("find those of a handler that is gone, and of a build of a projection", async () => {
    const event = note("gone", "left over");
    const handlers = ["retired-handler", "open-loops/7"];
    for (const handler of handlers) {
      await recordDeadLetter(api.database, { handler, event, code: "x", reason: "x", attempts: 1 });
      const { body } = await callAdmin(api.url, `/dead-letters?handler=${encodeURIComponent(handler)}`);
      expect(body.deadLetters).toMatchObject([{ handler }]);
    }
  });
});
