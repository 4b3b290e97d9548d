import { randomUUID } from "node:crypto";
import { testEngines } from "@synap/database/testing";
import { defaultApplication } from "@synap/synap/internal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ATTEMPTS, type Attempt, type Cursors, get, HIDDEN_COMMAND } from "../testing/attempts.ts";
import { expectHidden, hiddenIn, send } from "../testing/expect-hidden.ts";
import { fillReadModels } from "../testing/fill-read-models.ts";
import { type Caller, HIDDEN_NOTE, type HiddenLog, storeHiddenLog } from "../testing/hidden-log.ts";
import { type ApiOperation, readOperations } from "../testing/read-operations.ts";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";

let api: TestApi;
let log: HiddenLog;

let cursors: Cursors = { events: [], auditLog: [] };

async function readCursors(path: string): Promise<string[]> {
  const found = [log.owner, log.staff].map(async ({ token }) => {
    const answer = await send(api.url, get(path, 200), token);
    return String(JSON.parse(answer.text).nextCursor);
  });
  return Promise.all(found);
}

/** The request for something of the same form that nobody has ever stored. */
function forNothing(attempt: Attempt): Attempt {
  const unknown = JSON.stringify(attempt).replaceAll("bee-", "nix-").replaceAll("beesecre", "nixsecre");
  return JSON.parse(unknown.replaceAll(UUID, NO_ID));
}

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

const NO_ID = randomUUID();

/** The content of an answer, without the names and ids of what was asked for. */
function said(text: string): unknown {
  const plain = text.replaceAll("nix", "bee").replaceAll(UUID, NO_ID);
  const { instance: _, ...rest } = JSON.parse(plain);
  return rest;
}

/** Each of several attempts once. */
function distinct(attempts: readonly Attempt[]): readonly Attempt[] {
  return [...new Map(attempts.map((attempt) => [JSON.stringify(attempt), attempt])).values()];
}

/** True for an operation that users, agents and machines may use. */
function isOwn({ security }: ApiOperation): boolean {
  if (security.length === 0) return false;
  const [scope = "any"] = security[0]?.["bearer"] ?? [];
  return scope === "read" || scope === "publish" || scope === "any";
}

describe.each(testEngines())("on the %s engine", (engine) => {
  beforeAll(async () => {
    api = await startTestApi({}, engine, { projections: defaultApplication.projections });
    log = await storeHiddenLog(api.database, async ({ token }) => {
      await send(api.url, HIDDEN_COMMAND, token);
      await fillReadModels(api.database, [HIDDEN_NOTE]);
    });
    cursors = {
      events: await readCursors("/events?limit=2"),
      auditLog: await readCursors("/audit-log?limit=2"),
    };
  });
  afterAll(() => api.stop());

  it("has attempts on every operation that users, agents and machines may use", async () => {
    const own = (await readOperations(api.url)).filter(isOwn);
    expect(Object.keys(ATTEMPTS).sort()).toEqual(own.map(({ name }) => name).sort());
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

  describe.each(Object.keys(ATTEMPTS))("%s", (name) => {
    const attemptsOf = (me: Caller) => ATTEMPTS[name]?.(me, log, cursors) ?? [];

    it("is refused to nobody and to a wrong token, whatever is asked for", async () => {
      const wrong = `synap_${"0".repeat(12)}_${"0".repeat(64)}`;
      for (const attempt of distinct(log.strangers.flatMap(attemptsOf))) {
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
          if (attempt.stranger < 400 || attempt.isTaken) continue;
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
      for (const { owner, isBare = false, ...attempt } of distinct(log.strangers.flatMap(attemptsOf))) {
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

  it("shows nothing by any other operation, open or refused", async () => {
    const others = (await readOperations(api.url)).filter((operation) => !isOwn(operation));
    for (const { method, path, security } of others) {
      for (const { token } of log.strangers) {
        const answer = await send(api.url, { method, path }, token);
        expect([path, answer.status]).toEqual([path, security.length === 0 ? 200 : 403]);
        expectHidden(log, { method, path }, answer);
      }
    }
  });

  it("changes nothing of another by any of these attempts", async () => {
    const body = async (path: string) =>
      JSON.parse((await send(api.url, get(path, 200), log.staff.token)).text);
    const stream = await body("/streams/note/bee-note");
    expect([stream.streamVersion, stream.closedAt]).toEqual([log.version, undefined]);
    expect((await body("/streams/note/bee-shared")).closedAt).toBeUndefined();
    for (const id of ["bee-reservation", "bee-commanded"]) {
      const reservation = await body(`/aggregates/reservation/${id}`);
      expect([reservation.version, reservation.state.status]).toEqual([1, "CONFIRMED"]);
    }
  });

  it("refuses to show anything once the database can't limit it, and serves those who see all", async () => {
    await api.database.asOwner((owner) =>
      owner.execute("REVOKE USAGE ON SCHEMA synap, synap_visible FROM synap_reader"),
    );
    const [stranger] = log.strangers;
    const attempt = get("/events", 503);
    const answer = await send(api.url, attempt, stranger?.token);
    expect([answer.status, JSON.parse(answer.text).code]).toEqual([503, "visibility-unavailable"]);
    expectHidden(log, attempt, answer);
    expect((await send(api.url, attempt, log.staff.token)).status).toBe(200);
  });
});
