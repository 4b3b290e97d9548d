import { randomUUID } from "node:crypto";
import { testEngines } from "@synap/database/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectHidden, hiddenIn, type SentRequest, send } from "../testing/expect-hidden.ts";
import { type Caller, type HiddenLog, storeHiddenLog } from "../testing/hidden-log.ts";
import { readOperations } from "../testing/read-operations.ts";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";

/** A request by which a stranger reaches for the owner's rows. */
interface Attempt extends SentRequest {
  /** Status of the answer to a stranger... */
  readonly stranger: number;
  /** ...and to the owner, whose answer has what the stranger's must not; left out where he reaches for rows of the stranger. */
  readonly owner?: number;
  /** True if the answer to the owner has none of his rows either. */
  readonly isBare?: boolean;
}

let api: TestApi;
let log: HiddenLog;

const get = (path: string, stranger: number, owner?: number, more: Partial<Attempt> = {}): Attempt => ({
  path: `/api/v1${path}`,
  stranger,
  ...(owner !== undefined && { owner }),
  ...more,
});

/** Attempts on every operation that strangers may use, by its operationId. A new operation fails the test until it has its line. */
const ATTEMPTS: Readonly<Record<string, (me: Caller) => readonly Attempt[]>> = {
  listEvents: ({ id }) => [
    get("/events", 200, 200),
    get("/events?limit=1&order=asc", 200, 200),
    get("/events?limit=1000", 200, 200),
    get("/events?userId=bee-user", 200, 200),
    get("/events?createdBy=user:bee-user", 200, 200),
    get("/events?aggregateType=note&aggregateId=bee-note", 200, 200),
    get(`/events?aggregateType=note&aggregateId=${id}-note`, 200),
    get("/events?correlationId=bee-flow", 200, 200),
    get(`/events?correlationId=${id}-flow`, 200),
    get(`/events?causationId=${log.events[0]?.causationId}`, 200, 200),
    get("/events?source=bee-source&type=note.creation.requested", 200, 200),
    get('/events?type=note.creation.requested&data={"tags":["bee-tag"]}', 200, 200),
    get("/events?type=note.creation.requested&from=2019-01-01T00:00:00Z&to=2019-12-31T00:00:00Z", 200, 200),
    get("/events?recordedFrom=2020-01-01T00:00:00Z", 200, 200),
    get("/events?type=beesecret.kept", 400, 200),
    get("/events?type=beesecret.kep", 400, 400, { isBare: true }),
    get("/events?aggregateType=beesecret", 400, 200),
    get("/events?aggregateType=beesecre", 400, 400, { isBare: true }),
    ...cursors.map((cursor) => get(`/events?limit=500&cursor=${cursor}`, 200, 200)),
    get("/events?cursor=abc", 400, 400, { isBare: true }),
  ],
  getEvent: ({ eventId }) => [
    ...log.events.slice(-6).map(({ id }) => get(`/events/${id}`, 404, 200)),
    get(`/events/${log.events[0]?.id}?caused=10`, 404, 200),
    get(`/events/${eventId}?caused=10`, 200),
  ],
  getTrace: ({ id }) => [
    get("/traces/bee-flow", 404, 200),
    get(`/traces/${log.events[0]?.id}`, 404, 200),
    get(`/traces/${id}-flow`, 200),
  ],
  aggregateHistory: ({ id }) => [
    get("/events/aggregate/note/bee-note/history", 404, 200),
    get("/events/aggregate/note/bee-shared/history", 404, 200),
    get("/events/aggregate/beesecret/bee-secret/history", 404, 200),
    get(`/events/aggregate/note/${id}-note/history`, 200),
    get(`/events/aggregate/note/${id}-note/history?limit=1`, 200),
  ],
  readStream: ({ id }) => [
    get("/streams/note/bee-note", 404, 200),
    get("/streams/note/bee-note?fromVersion=137", 404, 200),
    get("/streams/note/bee-note?direction=backwards&limit=1", 404, 200),
    get("/streams/note/bee-shared", 404, 200),
    get("/streams/beesecret/bee-secret", 404, 200),
    get(`/streams/note/${id}-note`, 200),
    get(`/streams/note/${id}-note?limit=1&direction=backwards`, 200),
  ],
  getAggregate: ({ id }) => [
    get("/aggregates/note/bee-note", 404, 200),
    get("/aggregates/note/bee-note?version=137", 404, 200),
    get("/aggregates/note/bee-note?version=999", 404, 404),
    get("/aggregates/note/bee-note?at=2019-06-01T00:00:00Z", 404, 200),
    get("/aggregates/note/bee-shared", 404, 200, { isBare: true }),
    get("/aggregates/reservation/bee-reservation", 404, 200),
    get("/aggregates/reservation/bee-reservation?version=9", 404, 404, { isBare: true }),
    get("/aggregates/beesecret/bee-secret", 404, 200),
    get("/aggregates/beesecre/bee-secret", 404, 404, { isBare: true }),
    get(`/aggregates/note/${id}-note`, 200),
    get(`/aggregates/note/${id}-note?at=2100-01-01T00:00:00Z`, 200),
  ],
  listEventTypes: () => [get("/events/types", 200, 200, { isBare: true })],
  getEventType: () => [
    get("/events/types/beesecret.kept", 404, 404, { isBare: true }),
    get("/events/types/beesecret.kep", 404, 404, { isBare: true }),
  ],
};

/** Cursors of pages of the owner and of staff. */
let cursors: readonly string[] = [];

async function readCursors(): Promise<string[]> {
  const found = [log.owner, log.staff].map(async ({ token }) => {
    const answer = await send(api.url, { path: "/api/v1/events?limit=2" }, token);
    return String(JSON.parse(answer.text).nextCursor);
  });
  return Promise.all(found);
}

/** The request for something of the same form that nobody has ever stored. */
function forNothing({ path, ...rest }: Attempt): Attempt {
  const unknown = path.replaceAll("bee-", "nix-").replaceAll("beesecre", "nixsecre");
  return { ...rest, path: unknown.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, NO_ID) };
}

const NO_ID = randomUUID();

/** The content of an answer, without the names and ids of what was asked for. */
function said(text: string): unknown {
  const plain = text.replaceAll("nix", "bee").replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, NO_ID);
  const { instance: _, ...rest } = JSON.parse(plain);
  return rest;
}

describe.each(testEngines())("on the %s engine", (engine) => {
  beforeAll(async () => {
    api = await startTestApi({}, engine);
    log = await storeHiddenLog(api.database);
    cursors = await readCursors();
  });
  afterAll(() => api.stop());

  it("has attempts on every operation that users, agents and machines may use", async () => {
    const open = (await readOperations(api.url)).filter(
      ({ security }) => security[0]?.["bearer"]?.[0] === "read",
    );
    expect(Object.keys(ATTEMPTS).sort()).toEqual(open.map(({ name }) => name).sort());
  });

  describe.each(Object.keys(ATTEMPTS))("%s", (name) => {
    const attemptsOf = (me: Caller) => ATTEMPTS[name]?.(me) ?? [];

    it("is refused to nobody and to a wrong token, whatever is asked for", async () => {
      const wrong = `synap_${"0".repeat(12)}_${"0".repeat(64)}`;
      for (const attempt of log.strangers.flatMap(attemptsOf)) {
        for (const token of [undefined, wrong]) {
          const answer = await send(api.url, attempt, token);
          expect([attempt.path, answer.status]).toEqual([attempt.path, 401]);
          expectHidden(log, attempt, answer);
        }
      }
    });

    it("shows a user, an agent and a machine nothing of another, and answers as for what does not exist", async () => {
      for (const stranger of log.strangers) {
        for (const attempt of attemptsOf(stranger)) {
          const answer = await send(api.url, attempt, stranger.token);
          expect([stranger.kind, attempt.path, answer.status]).toEqual([
            stranger.kind,
            attempt.path,
            attempt.stranger,
          ]);
          expectHidden(log, attempt, answer);
          if (attempt.stranger < 400) continue;
          const nothing = await send(api.url, forNothing(attempt), stranger.token);
          expect([attempt.path, nothing.status, said(nothing.text)]).toEqual([
            attempt.path,
            answer.status,
            said(answer.text),
          ]);
        }
      }
    });

    it("shows them to the owner and to staff", async () => {
      for (const { owner, isBare = false, ...attempt } of log.strangers.flatMap(attemptsOf)) {
        if (owner === undefined) continue;
        for (const { kind, token } of [log.owner, log.staff]) {
          const answer = await send(api.url, attempt, token);
          expect([kind, attempt.path, answer.status]).toEqual([kind, attempt.path, owner]);
          const shown = hiddenIn(log, attempt, answer).length > 0;
          expect([kind, attempt.path, shown]).toEqual([kind, attempt.path, !isBare]);
        }
      }
    });
  });

  it.each([0, 1, 2])("shows a caller its own rows (%i)", async (index) => {
    const me = log.strangers[index];
    if (me === undefined) throw new Error("There are three.");
    const body = async (path: string) => JSON.parse((await send(api.url, get(path, 200), me.token)).text);
    const contents = (events: readonly { data: { content: string } }[]) =>
      events.map(({ data }) => data.content);
    const { id, eventId } = me;
    expect(contents((await body("/events?limit=1000")).events).sort()).toEqual(
      [`${id} content`, `${id} other`, "mine"].sort(),
    );
    // Of its own streams also the steps that name no user.
    const ofStream = [`${id} content`, "a step"];
    const stream = await body(`/streams/note/${id}-note`);
    expect([stream.streamVersion, contents(stream.events)]).toEqual([3, ofStream]);
    expect(contents((await body(`/events/aggregate/note/${id}-note/history`)).events)).toEqual(ofStream);
    expect(await body(`/aggregates/note/${id}-note`)).toMatchObject({
      version: 3,
      state: { "note.creation.requested": { content: "a step" } },
    });
    expect(contents((await body(`/events/${eventId}?caused=5`)).caused.events)).toEqual([`${id} other`]);
    const { nodes } = await body(`/traces/${id}-flow`);
    expect(
      nodes.map(({ depth, event }: { depth: number; event: { id: string } }) => [
        depth,
        event.id === eventId,
      ]),
    ).toEqual([
      [0, true],
      [1, false],
    ]);
  });
});
