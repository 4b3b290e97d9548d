import { testEngines } from "@synap/database/testing";
import { defineBatchProjection, type Projection } from "@synap/handlers";
import { EventDispatcher } from "@synap/handlers/internal";
import { createSynapEvent, noteCreationCompleted, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callAdmin } from "../testing/call-admin.ts";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";

/** Keeps what notes say; the second version in capitals, if `differs`. */
const saidNotes = (version: number, differs: boolean): Projection =>
  defineBatchProjection({
    name: "said-notes",
    version,
    description: "What the notes say.",
    events: [noteCreationCompleted],
    tables: [{ name: "said_notes", key: ["id"], columns: "id text NOT NULL, content text NOT NULL" }],
    mode: "async",
    async apply(events, { transaction, table }) {
      for (const { id, data } of events) {
        const { content } = data;
        await transaction.query(`INSERT INTO ${table("said_notes")} (id, content) VALUES ($1, $2)`, [
          id,
          differs && version === 2 ? content.toUpperCase() : content,
        ]);
      }
    },
  });

describe.each(testEngines())("the routes of projections (%s)", (engine) => {
  const versions = [saidNotes(1, true), saidNotes(2, true)];
  let api: TestApi;
  let worker: EventDispatcher;
  const post = (change: string, body?: unknown, headers = {}) =>
    callAdmin(api.url, `/projections/said-notes/${change}`, {
      method: "POST",
      headers,
      ...(body !== undefined && { body }),
    });
  const get = async () => (await callAdmin(api.url, "/projections/said-notes")).body;
  const shown = async () => {
    const rows = await api.database.query<{ content: string }>(
      "SELECT content FROM synap_read.said_notes ORDER BY content",
    );
    return rows.map(({ content }) => content);
  };
  async function work(): Promise<void> {
    for (;;) {
      const pass = await worker.catchUp("said-notes");
      if (pass.status === "done" && pass.caughtUp) return;
    }
  }

  beforeAll(async () => {
    api = await startTestApi({}, engine, { projections: versions });
    const { database } = api;
    worker = new EventDispatcher({ database, catalogue: seedCatalogue, projections: versions.slice(0, 1) });
    for (const content of ["one", "two"]) {
      await worker.store.append(createSynapEvent({ type: "note.creation.completed", data: { content } }));
    }
    await work();
    worker = new EventDispatcher({ database, catalogue: seedCatalogue, projections: versions });
  });
  afterAll(() => api.stop());

  it("shows the rows as they were at a position and at a moment, and refuses neither and both", async () => {
    const [first] = await api.database.query<{ position: number; id: string }>(
      'SELECT "position", id FROM synap.events ORDER BY "position" LIMIT 1',
    );
    const asOf = (query: string) => callAdmin(api.url, `/projections/said-notes/as-of?${query}`);
    // The newest version, which says it in capitals.
    expect((await asOf(`position=${first?.position}`)).body).toEqual({
      projection: "said-notes",
      events: 1,
      tables: [{ table: "said_notes", rows: [{ id: first?.id, content: "ONE" }], isCut: false }],
      failed: [],
    });
    expect((await asOf("moment=2020-01-01T00:00:00Z")).body).toMatchObject({
      events: 0,
      tables: [{ rows: [] }],
    });
    expect((await asOf(`moment=${new Date().toISOString()}&limit=1`)).body).toMatchObject({
      events: 2,
      tables: [{ rows: [{}], isCut: true }],
    });
    for (const query of ["", "position=1&moment=2020-01-01T00:00:00Z", "moment=yesterday"]) {
      expect((await asOf(query)).status, query).toBe(400);
    }
    expect((await callAdmin(api.url, "/projections/none/as-of?position=1")).status).toBe(404);
  });

  it("list them, and show one with its builds", async () => {
    const { status, body } = await callAdmin(api.url, "/projections");
    expect(status).toBe(200);
    expect(body.projections).toMatchObject([
      { name: "said-notes", state: "running", newestVersion: 2, builds: [{ version: 1, role: "live" }] },
    ]);
    expect(await get()).toEqual(body.projections[0]);
    const { handlers } = (await callAdmin(api.url, "/status")).body;
    expect(handlers).toContainEqual(
      expect.objectContaining({ name: "said-notes/1", mode: "async", description: "What the notes say." }),
    );
    const missing = await callAdmin(api.url, "/projections/no-such");
    expect([missing.status, missing.body.code]).toEqual([404, "projection-not-found"]);
    const misspelt = await callAdmin(api.url, "/projections/said-note");
    expect(misspelt.body.detail).toContain('did you mean "said-notes"?');
    expect((await callAdmin(api.url, "/projections/No%20such")).body.code).toBe("parameter-invalid");
  });

  it("pause and resume one, in somebody's name", async () => {
    await post("pause", undefined, { "x-synap-actor": "Ada" });
    const paused = await post("pause", undefined, { "x-synap-actor": "Ada" });
    expect([paused.status, paused.body]).toMatchObject([200, { state: "paused", changedBy: "Ada" }]);
    for (let repetition = 0; repetition < 2; repetition += 1)
      expect((await post("resume")).body).toMatchObject({
        state: "running",
        changedBy: "agent:service:tests",
      });
  });

  it("rebuild one beside the live one, and refuse a second build meanwhile", async () => {
    const begun = await post("rebuild");
    expect([begun.status, begun.body]).toMatchObject([
      202,
      { role: "building", version: 2, state: "rebuilding" },
    ]);
    expect(await get()).toMatchObject({
      builds: [{ role: "live" }, { role: "building", lagEvents: 2, progress: 0 }],
    });
    const again = await post("rebuild", { version: 1 });
    expect([again.status, again.body.code]).toEqual([409, "projection-conflict"]);
    expect(await shown()).toEqual(["one", "two"]);
  });

  it("compare the builds, and refuse to let one take over that differs", async () => {
    await work();
    expect((await post("compare")).body).toMatchObject({
      projection: "said-notes",
      rows: 2,
      differences: [{ table: "said_notes", different: 2, onlyInOld: 0, onlyInNew: 0 }],
    });
    const refused = await post("cutover");
    expect([refused.status, refused.body]).toMatchObject([409, { code: "cutover-refused", difference: 2 }]);
    expect(await shown()).toEqual(["one", "two"]);
  });

  it("let it take over within the bounds given, and go back", async () => {
    const { status, body } = await post("cutover", { maxDifference: 2 });
    expect([status, body]).toMatchObject([200, { liveVersion: 2, differences: [{ different: 2 }] }]);
    expect(await shown()).toEqual(["ONE", "TWO"]);
    const again = await post("cutover", { maxDifference: 2 });
    expect([again.status, again.body.code]).toEqual([404, "projection-not-found"]);
    const from = body.liveBuild;
    for (let repetition = 0; repetition < 3; repetition += 1)
      expect((await post("rollback", { from })).body).toMatchObject({ liveVersion: 1, previousBuild: from });
    const unnamed = await post("rollback", {}, { "idempotency-key": "back-1" });
    expect([unnamed.status, unnamed.body.code]).toEqual([400, "parameter-invalid"]);
    const other = await post("rollback", { from: 99 });
    expect([other.status, other.body.code]).toEqual([409, "projection-conflict"]);
    expect(await shown()).toEqual(["one", "two"]);
  });

  it("drop a build that nobody wants", async () => {
    expect((await post("drop", { build: "live" })).body.code).toBe("body-invalid");
    expect((await post("drop", { build: "previous" })).body).toEqual({
      projection: "said-notes",
      dropped: "previous",
    });
    expect((await post("drop", { build: "previous" })).body.code).toBe("projection-not-found");
    expect((await get()).builds).toHaveLength(1);
  });

  it("refuse a body that they do not understand", async () => {
    for (const [change, body] of [
      ["rebuild", { versoin: 2 }],
      ["rebuild", { version: 0 }],
      ["cutover", { maxDifference: -1 }],
      ["cutover", { compare: "no" }],
    ] as const) {
      const response = await post(change, body);
      expect([change, response.status, response.body.code]).toEqual([change, 400, "body-invalid"]);
    }
    expect((await post("rebuild", { version: 9 })).body.code).toBe("projection-not-found");
  });
});
