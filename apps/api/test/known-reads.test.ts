import { createSynapClient } from "@synap/client";
import { defaultApplication } from "@synap/synap/internal";
import { completeEvent, correctionOf, type EventInput, retractionOf, type StoredEvent } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fillReadModels } from "../testing/fill-read-models.ts";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";
import { createTestKey } from "../testing/test-keys.ts";

const DAY = 86_400_000;
const day = (number: number) => new Date(Date.now() + number * DAY).toISOString();
const nextTurn = () => new Promise((done) => setImmediate(done));

describe("read models as known at one moment, about another", () => {
  const { projections, readModels } = defaultApplication;
  let api: TestApi;
  let first: StoredEvent;
  let corrected: StoredEvent;
  let retracted: StoredEvent;
  const holds = day(-2);
  const about = day(-1);

  const get = async (path: string, token?: string) => {
    const headers = { ...(token !== undefined && { authorization: `Bearer ${token}` }) };
    const response = await fetch(`${api.url}/api/v1${path}`, { headers });
    const position = Number(response.headers.get("x-synap-position"));
    return { status: response.status, position, body: JSON.parse(await response.text()) };
  };
  const contents = async (query: string, token?: string) => {
    const { status, body } = await get(`/notes?${query}`, token);
    expect(status, JSON.stringify(body)).toBe(200);
    return body.notes.map(({ content }: { content: string }) => content);
  };
  /** Stores an event, and waits until the next one is recorded at a later moment. */
  const store = async (event: EventInput): Promise<StoredEvent> => {
    const complete = completeEvent(event);
    await fillReadModels(api.database, [complete]);
    const { body } = await get(`/events/${complete.id}`);
    while (Date.now() <= Date.parse(body.recordedAt)) await nextTurn();
    return body;
  };

  beforeAll(async () => {
    api = await startTestApi({}, "embedded", { projections, readModels });
    const note = { type: "note.creation.completed", userId: "ada", validFrom: holds };
    first = await store({ ...note, aggregateId: "n1", data: { content: "as it was thought to be" } });
    corrected = await store(correctionOf(first, { data: { content: "as it was" }, reason: "misread" }));
    retracted = await store(retractionOf(first, { reason: "never was" }));
  });
  afterAll(() => api.stop());

  it("have what was known then, about when it holds", async () => {
    const known = ({ recordedAt }: StoredEvent) => contents(`knownAt=${recordedAt}&validAt=${about}`);
    expect(await known(first)).toEqual(["as it was thought to be"]);
    expect(await known(corrected)).toEqual(["as it was"]);
    expect(await known(retracted)).toEqual([]);
    expect(await contents(`validAt=${about}`)).toEqual([]);
    expect(await contents(`knownAt=${corrected.recordedAt}`)).toEqual(["as it was"]);
    expect(await contents(`known_at=${corrected.recordedAt}&valid_at=${day(-3)}`)).toEqual([]);
    expect(await contents(`knownAt=${corrected.recordedAt}&validAt=${day(300)}`)).toEqual(["as it was"]);
    const { position } = await get(`/notes?knownAt=${corrected.recordedAt}&validAt=${about}`);
    expect(position).toBe(corrected.position);
    // A read that does not ask for it has all events, as they are stored.
    expect(await contents(`asOf=${first.recordedAt}`)).toEqual(["as it was thought to be"]);
    expect(await contents("")).toEqual(["as it was thought to be"]);
  });

  it("have the latest fact by validity, not the one that was stored last", async () => {
    const note = { type: "note.creation.completed", aggregateId: "n2", userId: "ben" };
    await store({ ...note, validFrom: day(-2), data: { content: "holds now" } });
    await store({ ...note, validFrom: day(-4), data: { content: "held before" } });
    const of = (when: string) => contents(`userId=ben&validAt=${when}`);
    expect(await of(day(-1))).toEqual(["holds now"]);
    expect(await of(day(-3))).toEqual(["held before"]);
    expect(await contents("userId=ben")).toEqual(["held before"]);
  });

  it("are read by the client, and show a user his own rows", async () => {
    const moments = { knownAt: corrected.recordedAt, validAt: about };
    const client = createSynapClient({ url: api.url });
    const read: string[] = [];
    for await (const { content } of client.readModels.notes(moments)) read.push(content);
    expect(read).toEqual(["as it was"]);
    const query = new URLSearchParams(moments).toString();
    const [ada, ben] = [
      await createTestKey(api.database, "user", "ada"),
      await createTestKey(api.database, "user", "ben"),
    ];
    expect(await contents(query, ada)).toEqual(["as it was"]);
    expect(await contents(query, ben)).toEqual([]);
    expect(await contents(`${query}&userId=ada`, ben)).toEqual([]);
  });

  it("are refused together with asOf, for knowledge that is still to come, and where nothing is corrected", async () => {
    expect(await get(`/notes?asOf=${about}&validAt=${about}`)).toMatchObject({
      status: 400,
      body: { code: "parameter-invalid", errors: [{ path: "validAt" }] },
    });
    expect(await get("/notes?knownAt=2999-01-01T00:00:00Z")).toMatchObject({
      status: 400,
      body: { code: "moment-in-future", errors: [{ path: "knownAt" }] },
    });
    expect(await get(`/audit-log?validAt=${about}`)).toMatchObject({
      status: 409,
      body: { code: "as-of-unavailable", detail: expect.stringContaining("asOf") },
    });
  });
});
