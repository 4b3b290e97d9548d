import { createSynapClient, type ProcessingDecision } from "@synap/client";
import { recordDeadLetter } from "@synap/database/internal";
import { testEngines } from "@synap/database/testing";
import type { IEventHandler } from "@synap/handlers";
import { EventDispatcher } from "@synap/handlers/internal";
import { createSynapEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi, TOKEN } from "../testing/start-test-api.ts";
import { createTestKey } from "../testing/test-keys.ts";

const note = (stream: string, content = "good"): SynapEvent =>
  createSynapEvent({ type: "note.creation.completed", aggregateId: stream, data: { content } });
const UNKNOWN_ID = "019aa000-0000-7000-8000-000000000001";

describe.each(testEngines())("the processing of events over HTTP (%s)", (engine) => {
  let api: TestApi;
  let synap: ReturnType<typeof createSynapClient<typeof seedCatalogue>>;
  let dispatcher: EventDispatcher;
  let isRepaired = false;
  const mailer: IEventHandler = {
    name: "mailer",
    description: "Refuses what is bad.",
    mode: "async",
    eventTypes: ["note.creation.completed"],
    handle: (events) =>
      !isRepaired && events.some(({ data }) => data["content"] === "bad")
        ? Promise.reject(new RangeError("bad is refused"))
        : Promise.resolve(),
  };
  const counter: IEventHandler = {
    name: "counter",
    description: "Comes later.",
    mode: "async",
    eventTypes: ["note.creation.completed"],
    handle: () => Promise.resolve(),
  };

  beforeAll(async () => {
    api = await startTestApi({}, engine, { handlers: [mailer, counter] });
    synap = createSynapClient({ url: api.url, token: TOKEN, actor: "Ada Lovelace" });
    const { database } = api;
    dispatcher = new EventDispatcher({
      database,
      catalogue: seedCatalogue,
      handlers: [mailer, counter],
      maxAttempts: 1,
    });
  });
  afterAll(() => api.stop());

  const call = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${api.url}/api/v1/events${path}`, {
      ...init,
      headers: {
        authorization: `Bearer ${TOKEN}`,
        "content-type": "application/json",
        ...init.headers,
      },
    });
    return { status: response.status, body: JSON.parse(await response.text()) };
  };
  const put = (id: string, decision: unknown) =>
    call(`/${id}/processing`, { method: "PUT", body: JSON.stringify(decision) });
  /** Stores a bad event and one behind it; the mailer has failed on it, the counter has seen neither. */
  async function fail(stream: string): Promise<{ bad: SynapEvent; behind: SynapEvent }> {
    isRepaired = false;
    const [bad, behind] = [note(stream, "bad"), note(stream)];
    await dispatcher.store.appendBatch([bad, behind]);
    await follow("mailer");
    return { bad, behind };
  }
  async function follow(handler: string): Promise<void> {
    while (true) {
      const pass = await dispatcher.catchUp(handler);
      if (pass.status === "done" && pass.caughtUp) break;
    }
  }

  it("is listed with each event that a handler has not processed, in order and page by page", async () => {
    const { bad, behind } = await fail("listed");
    const listed = [];
    for await (const event of synap.admin.unprocessedEvents({ pageSize: 1 })) listed.push(event);
    const counting = { handler: "counter", mode: "async", state: "pending" };
    expect(listed).toMatchObject([
      {
        id: bad.id,
        data: { content: "bad" },
        processing: [counting, { handler: "mailer", state: "failed", processingError: "bad is refused" }],
      },
      { id: behind.id, processing: [counting, { handler: "mailer", state: "parked" }] },
    ]);
    const { body } = await call("/unprocessed?handler=mailer&state=parked");
    expect(body.events.map(({ id }: { id: string }) => id)).toEqual([behind.id]);
    const { body: first } = await call("/unprocessed?limit=1");
    expect(await call(`/unprocessed?limit=1&state=failed&cursor=${first.nextCursor}`)).toMatchObject({
      status: 400,
      body: { code: "cursor-invalid" },
    });
    for (const [wrong, code] of [
      ["handler=maler", "filter-unknown"],
      ["type=note.creation.complete", "filter-unknown"],
      ["state=done", "parameter-invalid"],
      ["processed=false", "parameter-unknown"],
    ]) {
      expect(await call(`/unprocessed?${wrong}`)).toMatchObject({ status: 400, body: { code } });
    }
  });

  it("is retried with who and why, as the dead letter is", async () => {
    const { bad, behind } = await fail("retried");
    const snake = { accept: 'application/json; profile="snake"' };
    expect((await call(`/${bad.id}/processing`, { headers: snake })).body).toMatchObject({
      event_id: bad.id,
      event_type: "note.creation.completed",
      handlers: [{ handler: "counter" }, { handler: "mailer", processing_error: "bad is refused" }],
    });
    expect(await synap.admin.eventProcessing(bad.id)).toMatchObject({
      eventId: bad.id,
      type: "note.creation.completed",
      processed: false,
    });
    const retry: ProcessingDecision = { action: "retry", handler: "mailer", reason: "the rule is repaired" };
    expect(await synap.admin.changeEventProcessing(bad.id, retry)).toMatchObject({
      processed: false,
      outcome: { status: "open", failure: { reason: "bad is refused" }, parked: 1 },
    });
    isRepaired = true;
    const changed = await synap.admin.changeEventProcessing(bad.id, retry);
    const recorded = { resolvedBy: "Ada Lovelace", resolution: "the rule is repaired" };
    expect(changed.outcome).toMatchObject({ status: "retried", released: 1, parked: 0 });
    expect(changed.handlers[1]).toMatchObject({ handler: "mailer", state: "done", ...recorded });
    expect(await synap.admin.deadLetter(changed.outcome.id)).toMatchObject({
      eventId: bad.id,
      status: "retried",
      ...recorded,
    });
    await dispatcher.catchUp("counter");
    expect(await synap.admin.eventProcessing(behind.id)).toMatchObject({ processed: true });
  });

  it("is skipped with who and why; a second decision is refused with the state", async () => {
    const { bad } = await fail("skipped");
    for (const wrong of [
      { action: "skip", handler: "mailer" },
      { action: "skip", handler: "mailer", reason: " " },
      { action: "done", handler: "mailer" },
      { action: "retry" },
      { action: "retry", handler: "mailer", more: 1 },
      [],
    ]) {
      expect(await put(bad.id, wrong)).toMatchObject({ status: 400, body: { code: "body-invalid" } });
    }
    const skip: ProcessingDecision = { action: "skip", handler: "mailer", reason: "a test note" };
    const changed = await synap.admin.changeEventProcessing(bad.id, skip);
    expect(changed.handlers[1]).toMatchObject({
      state: "skipped",
      resolvedBy: "Ada Lovelace",
      resolution: "a test note",
    });
    expect(await put(bad.id, skip)).toMatchObject({
      status: 409,
      body: { code: "nothing-to-resolve", state: "skipped" },
    });
  });

  it("can't be decided where nothing failed, for an event or a handler that does not exist, or elsewhere", async () => {
    const { bad, behind } = await fail("refused");
    const retry = { action: "retry", handler: "mailer" };
    const parked = await put(behind.id, retry);
    expect(parked).toMatchObject({ status: 409, body: { code: "nothing-to-resolve", state: "parked" } });
    expect(parked.body.detail).toMatch(/behind dead letter \d+/);
    expect(await put(UNKNOWN_ID, retry)).toMatchObject({ status: 404, body: { code: "event-not-found" } });
    expect(await call(`/${UNKNOWN_ID}/processing`)).toMatchObject({ status: 404 });
    expect(await call("/abc/processing")).toMatchObject({ status: 400, body: { code: "parameter-invalid" } });
    const unknown = await put(bad.id, { ...retry, handler: "maler" });
    expect(unknown).toMatchObject({ status: 400, body: { code: "filter-unknown" } });
    expect(unknown.body.detail).toContain('"mailer"');
    const stored = await dispatcher.store.getById(bad.id);
    const elsewhere = { handler: "elsewhere", code: "x", reason: "x", attempts: 1 };
    await recordDeadLetter(api.database, { ...elsewhere, event: stored, position: stored?.position });
    expect(await put(bad.id, { ...retry, handler: "elsewhere" })).toMatchObject({
      status: 409,
      body: { code: "dead-letter-not-retryable" },
    });
  });

  it("selects from the pages of a query, which may become empty", async () => {
    const { bad, behind } = await fail("selected");
    const { status } = await put(bad.id, { action: "skip", handler: "mailer", reason: "a test note" });
    expect(status).toBe(200);
    await follow("counter");
    const waiting = await fail("selected later");
    const ids = async (query: object) => {
      const found: string[] = [];
      for await (const { id } of synap.query({ pageSize: 1, ...query })) found.push(id);
      return found.sort();
    };
    const unprocessed: string[] = [];
    for await (const { id } of synap.admin.unprocessedEvents()) unprocessed.push(id);
    const [all, yes, no] = [await ids({}), await ids({ processed: true }), await ids({ processed: false })];
    expect(no).toEqual(unprocessed.sort());
    expect([...yes, ...no].sort()).toEqual(all);
    expect(yes).toEqual(expect.arrayContaining([bad.id, behind.id]));
    expect(no).toEqual(expect.arrayContaining([waiting.bad.id, waiting.behind.id]));
    const { body } = await call(
      `?processed=true&limit=1&aggregateId=${encodeURIComponent("selected later")}`,
    );
    expect(body).toEqual({ events: [], nextCursor: expect.any(String) });
    expect(await call("?processed=no")).toMatchObject({ status: 400, body: { code: "parameter-invalid" } });
  });

  it("is decided in the name of the principal, unless it acts for another", async () => {
    const { bad } = await fail("in my name");
    const operator = {
      authorization: `Bearer ${await createTestKey(api.database, "staff", "ops", ["admin"])}`,
    };
    const body = JSON.stringify({ action: "skip", handler: "mailer", reason: "a test note" });
    const decide = (headers: Record<string, string>) =>
      call(`/${bad.id}/processing`, { method: "PUT", body, headers: { ...operator, ...headers } });
    expect(await decide({ "x-synap-actor": "Ada Lovelace" })).toMatchObject({
      status: 403,
      body: { code: "scope-missing", scope: "act-for-others" },
    });
    const { body: decided } = await decide({});
    expect(decided.handlers[1]).toMatchObject({ state: "skipped", resolvedBy: "user:ops" });
  });
});
