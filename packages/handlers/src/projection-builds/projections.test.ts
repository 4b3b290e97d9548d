import { openDatabase } from "@synap/database";
import { describeOnEveryEngine } from "@synap/database/testing";
import { createSynapEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import { expect, it } from "vitest";
import { catchUpFully } from "../../testing/handler-scenario.ts";
import {
  foldedNotes,
  type RecordingProjectionOptions,
  recordedNotes,
  recordingProjection,
} from "../../testing/recording-projection.ts";
import { EventDispatcher } from "../engine/event-dispatcher.ts";
import { HandlerRunner } from "../engine/handler-runner.ts";
import type { Projection } from "../projections/projection.ts";
import {
  AsOfTooLongError,
  CutoverRefusedError,
  ProjectionChangedError,
  ProjectionConflictError,
} from "../projections/projection-errors.ts";

const note = (stream: string, content: string): SynapEvent =>
  createSynapEvent({ type: "note.creation.completed", aggregateId: stream, data: { content } });
const notes = (count: number, streams = 5) =>
  Array.from({ length: count }, (_, index) => note(`s${index % streams}`, `e${index}`));
/** Lets timers run: the embedded engine can work without ever leaving the microtask queue. */
const nextTurn = () => new Promise((done) => setImmediate(done));
/** Waits until the clock shows another millisecond, so that a moment lies between two events. */
const nextMoment = async () => {
  const now = Date.now();
  while (Math.abs(Date.now() - now) < 2) await nextTurn();
};
const BY = { by: "user:ops" };

describeOnEveryEngine("projections", (engine) => {
  let made = 0;
  /** A process that has these versions of a projection of its own. */
  function process(versions: readonly Projection[]) {
    const { database } = engine;
    const dispatcher = new EventDispatcher({
      database,
      catalogue: seedCatalogue,
      projections: versions,
      maxAttempts: 1,
    });
    const name = versions[0]?.name ?? "";
    return {
      name,
      dispatcher,
      store: dispatcher.store,
      projections: dispatcher.projections,
      follow: () => catchUpFully(dispatcher, name),
      shown: () => recordedNotes(database, name),
      status: async () =>
        (await dispatcher.projections.status()).find((projection) => projection.name === name),
    };
  }
  const folded = () => foldedNotes(engine.database);
  function fresh(...options: RecordingProjectionOptions[]) {
    made += 1;
    return process(options.map((each) => recordingProjection({ ...each, name: `recorded-notes-${made}` })));
  }

  it("are built from the first event on and kept up to date, each event once and in order", async () => {
    const { store, follow, shown, status } = fresh({});
    await store.appendBatch(notes(20));
    await follow();
    expect(await shown()).toEqual(await folded());
    await store.appendBatch(notes(7));
    expect(await status()).toMatchObject({ state: "running", builds: [{ role: "live", lagEvents: 7 }] });
    expect((await status())?.builds[0]?.lagSeconds).toBeGreaterThan(0);
    await follow();
    expect(await shown()).toEqual(await folded());
    expect(await status()).toMatchObject({ builds: [{ lagEvents: 0, lagSeconds: 0, progress: 1 }] });
  });

  it("receive every earlier event when inline too, and then each append in its own transaction", async () => {
    const { store, follow, shown, status } = fresh({ mode: "inline" });
    await store.appendBatch(notes(5));
    await follow();
    expect(await status()).toMatchObject({ builds: [{ mode: "inline", lagEvents: 0 }] });
    await store.appendBatch(notes(5));
    expect(await shown()).toEqual(await folded());
  });

  it("stop at a pause and resume from there", async () => {
    for (const mode of ["async", "inline"] as const) {
      const { name, store, follow, shown, status, projections } = fresh({ mode });
      await follow();
      const before = await shown();
      expect(await projections.pause(name, BY)).toMatchObject({ state: "paused", changedBy: "user:ops" });
      await store.appendBatch(notes(6));
      await follow();
      expect(await shown()).toEqual(before);
      expect(await status()).toMatchObject({ state: "paused" });
      await projections.resume(name, BY);
      await follow();
      expect(await shown()).toEqual(await folded());
      expect(await status()).toMatchObject({ state: "running", builds: [{ mode: mode }] });
    }
  });

  it("show the rows as they were at a position and at a moment", async () => {
    const { name, store, projections, follow } = fresh({});
    await store.appendBatch([note("as-of", "one"), note("as-of", "two")]);
    const expected = await folded();
    const [last] = await store.appendBatch([note("as-of", "three")]);
    const position = last?.status === "stored" ? last.position - 1 : 0;
    await follow();
    const then = await projections.asOf(name, { position });
    expect(then.rows[name.replaceAll("-", "_")]).toEqual(expected);
    expect(then.failed).toEqual([]);
    await nextMoment();
    const moment = new Date().toISOString();
    const now = await folded();
    await nextMoment();
    await store.append(note("as-of", "four"));
    const atMoment = await projections.asOf(name, { moment });
    expect(atMoment.rows[name.replaceAll("-", "_")]).toEqual(now);
    const left = await engine.database.query(
      "SELECT FROM pg_class WHERE relname LIKE '%asof%' AND relkind = 'r'",
    );
    expect(left).toEqual([]);
  });

  it("give up an as-of run that would read more events than it may", async () => {
    const { name, store, projections } = fresh({});
    await store.appendBatch(Array.from({ length: 1_001 }, (_, index) => note("long", String(index))));
    const at = { position: Number.MAX_SAFE_INTEGER };
    await expect(projections.asOf(name, at, { maxEvents: 1_000 })).rejects.toThrow(AsOfTooLongError);
    const { rows, cut } = await projections.asOf(name, at, { maxBytes: 1 });
    expect([Object.values(rows).flat().length, cut.length]).toEqual([1, 1]);
  });

  it("refuse an as-of run at an invalid moment or position", async () => {
    const { name, projections } = fresh({});
    for (const moment of ["yesterday", "2026-01-01", "infinity", new Date(Number.NaN)]) {
      await expect(projections.asOf(name, { moment })).rejects.toMatchObject({ code: "MOMENT_INVALID" });
    }
    for (const position of [-1, 0.5, Number.NaN])
      await expect(projections.asOf(name, { position })).rejects.toThrow(RangeError);
    // An offset that PostgreSQL does not take.
    const { events } = await projections.asOf(name, { moment: "1971-01-01T00:00:00+23:59" });
    expect(events).toBe(0);
  });

  it("leave events that can't be applied out of an as-of run, and report them", async () => {
    const bad = note("as-of-bad", "bad");
    const { name, store, projections } = fresh({
      afterwards: (events) => {
        if (events.some((event) => event.id === bad.id)) throw new RangeError("no");
      },
    });
    await store.appendBatch([bad, note("as-of-bad", "after it"), note("as-of-good", "fine")]);
    const result = await projections.asOf(name, { position: Number.MAX_SAFE_INTEGER });
    expect(result.failed).toEqual([{ eventId: bad.id, reason: "no" }]);
    const ids = result.rows[name.replaceAll("-", "_")]?.map((row) => row["id"]);
    expect(ids).toContain("as-of-good");
    expect(ids).not.toContain("as-of-bad");
  });

  it("are rebuilt beside the live build, compared row by row, and switched over and back in one transaction each", async () => {
    for (const mode of ["async", "inline"] as const) {
      const loud = (event: { data: Record<string, unknown> }) => String(event.data["content"]).toUpperCase();
      const { name, store, projections, follow, shown, status } = fresh(
        { mode },
        { mode, version: 2, contentOf: loud },
      );
      // The first version runs in a process that knows no other.
      await process([recordingProjection({ mode, name })]).follow();
      await store.appendBatch(notes(12));
      await follow();
      const quiet = await folded();
      expect(await shown()).toEqual(quiet);
      expect(await projections.rebuild(name, BY)).toMatchObject({
        role: "building",
        state: "rebuilding",
        version: 2,
        progress: 0,
      });
      await expect(projections.rebuild(name, BY)).rejects.toThrow(ProjectionConflictError);
      await follow();
      expect(await shown()).toEqual(quiet);
      const [difference] = await projections.compare(name);
      expect(difference).toMatchObject({ onlyInOld: 0, onlyInNew: 0 });
      expect(difference?.different).toBeGreaterThan(0);
      const refused = await projections.cutover(name, BY).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(CutoverRefusedError);
      expect(refused).toMatchObject({ difference: difference?.different });
      expect(await shown()).toEqual(quiet);
      await store.append(note("late", "before the cutover"));
      const report = await projections.cutover(name, { ...BY, maxDifference: quiet.length + 1 });
      expect(report).toMatchObject({ liveVersion: 2 });
      const loudRows = (await folded()).map((row) => ({ ...row, contents: row.contents.toUpperCase() }));
      expect(await shown()).toEqual(loudRows);
      expect(await status()).toMatchObject({
        builds: [
          { role: "previous", mode },
          { role: "live", version: 2, mode },
        ],
      });
      await store.append(note("late", "after the cutover"));
      await follow();
      const { liveBuild: from } = await projections.rollback(name, BY);
      expect(await shown()).toEqual(await folded());
      await store.append(note("late", "after the rollback"));
      const { liveBuild } = await projections.rollback(name, { ...BY, from });
      for (let repetition = 0; repetition < 2; repetition += 1) {
        expect(await projections.rollback(name, { ...BY, from })).toMatchObject({
          liveBuild,
          previousBuild: from,
        });
      }
      await expect(projections.rollback(name, { ...BY, from: 99 })).rejects.toThrow("is not live");
      await projections.drop(name, "previous");
      await store.append(note("late", "after the drop"));
      await follow();
      expect(await shown()).toEqual(
        (await folded()).map((row) => ({ ...row, contents: row.contents.toUpperCase() })),
      );
      expect((await status())?.builds).toHaveLength(1);
      const tables = await engine.database.query("SELECT FROM pg_tables WHERE tablename LIKE $1", [
        `${name.replaceAll("-", "_")}_%`,
      ]);
      expect(tables).toHaveLength(1);
    }
  });

  it("count the rows that only one build has, and refuse a cutover while they lag behind", async () => {
    const { name, store, projections, follow } = fresh({});
    await store.appendBatch(notes(5));
    await follow();
    const { build } = await projections.rebuild(name, BY);
    await expect(projections.cutover(name, { ...BY, maxLagEvents: 1 })).rejects.toThrow("events behind");
    await follow();
    const table = `synap_read.${name.replaceAll("-", "_")}_${build}`;
    await engine.database.query(`DELETE FROM ${table} WHERE id = 's0'`);
    await engine.database.query(`UPDATE ${table} SET events = 99 WHERE id = 's1'`);
    await engine.database.query(`INSERT INTO ${table} VALUES ('nobody', 'x', 1)`);
    const [difference] = await projections.compare(name);
    expect(difference).toMatchObject({
      onlyInOld: 1,
      onlyInNew: 1,
      different: 1,
      examples: expect.arrayContaining(['["s1"]']),
    });
  });

  it("miss and repeat no event when they switch between the log and the appends", async () => {
    const { name, store, projections, dispatcher, shown } = fresh({ mode: "inline" });
    let appending = true;
    let appends = 0;
    const moreAppends = async (count: number) => {
      const enough = appends + count;
      while (appends < enough) await nextTurn();
    };
    const writers = [1, 2, 3].map(async (writer) => {
      for (let index = 0; appending; index += 1) {
        await nextTurn();
        await store.appendBatch([
          note(`w${writer}`, `e${index}`),
          note(`v${index % 3}`, `${writer}-${index}`),
        ]);
        appends += 1;
      }
    });
    const follower = (async () => {
      while (appending) {
        await dispatcher.catchUp(name);
        await nextTurn();
      }
    })();
    const patiently = async (work: () => Promise<unknown>) => {
      for (;;) {
        try {
          return await work();
        } catch (error) {
          if (!(error instanceof CutoverRefusedError || isWait(error))) throw error;
          await moreAppends(1);
        }
      }
    };
    await dispatcher.catchUp(name);
    for (let round = 0; round < 3; round += 1) {
      await patiently(() => projections.pause(name, BY));
      await moreAppends(10);
      await patiently(() => projections.resume(name, BY));
      await moreAppends(15);
    }
    await projections.rebuild(name, BY);
    await moreAppends(30);
    await patiently(() => projections.cutover(name, { ...BY, maxLagEvents: 10_000 }));
    await moreAppends(10);
    await patiently(() => projections.rollback(name, BY));
    appending = false;
    await Promise.all([...writers, follower]);
    await catchUpFully(dispatcher, name);
    const perStream = await shown();
    const expected = await folded();
    expect(perStream).toEqual(expected);
  });
  const isWait = (error: unknown) =>
    typeof error === "object" &&
    error !== null &&
    "code" in error &&
    ["55P03", "40P01"].includes(String(error.code));

  it("are kept up to date by several runners that share the segments", async () => {
    const { store, dispatcher, shown, status } = fresh({ segments: 3 });
    const logger = { info: () => {}, warn: () => {}, error: () => {} };
    const runners = [1, 2].map(() => new HandlerRunner({ dispatcher, database: engine.database, logger }));
    for (const runner of runners) runner.start();
    await store.appendBatch(notes(30, 11));
    await store.appendBatch(notes(30, 11));
    await expect.poll(async () => (await status())?.builds[0]?.lagEvents).toBe(0);
    for (const runner of runners) await runner.stop();
    expect(await shown()).toEqual(await folded());
  });

  it("continue in another worker within seconds when theirs dies", async () => {
    const { options } = engine.testDatabase;
    if (!("url" in options)) return; // The embedded engine has one process.
    const { name, store, follow, shown, dispatcher } = fresh({});
    await follow();
    await store.appendBatch(notes(4));
    const elsewhere = await openDatabase(options);
    const { build } = (await dispatcher.projections.status()).find((each) => each.name === name)
      ?.builds[0] ?? { build: 0 };
    let pid = 0;
    let locked: () => void = () => {};
    const isLocked = new Promise<void>((resolve) => {
      locked = resolve;
    });
    const dying = elsewhere.transaction(async (transaction) => {
      const [row] = await transaction.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
      pid = row?.pid ?? 0;
      await transaction.query("SELECT FROM synap.checkpoints WHERE handler = $1 FOR UPDATE", [
        `${name}/${build}`,
      ]);
      locked();
      await transaction.query("SELECT pg_sleep(86400)");
    });
    const outcome = dying.catch((error: unknown) => error);
    await isLocked;
    expect(await dispatcher.catchUp(name)).toEqual({ status: "busy" });
    await engine.database.asOwner((owner) => owner.query("SELECT pg_terminate_backend($1, 5000)", [pid]));
    // The session that died would have held the checkpoint for a day.
    await follow();
    expect(await shown()).toEqual(await folded());
    expect(await outcome).toBeInstanceOf(Error);
    await elsewhere.close();
  });

  it("make poison events dead letters under the build's name, and continue in order when they are retried", async () => {
    for (const mode of ["async", "inline"] as const) {
      const poison = new Set<string>();
      const { name, store, dispatcher, shown, status } = fresh({
        mode,
        afterwards: (events) => {
          if (events.some((event) => poison.has(event.id))) throw new RangeError("poison");
        },
      });
      const followAnyway = async () => {
        for (let done = false; !done; ) {
          done = await dispatcher.catchUp(name).then(
            (pass) => pass.status === "done" && pass.caughtUp,
            () => false,
          );
        }
      };
      await followAnyway();
      const bad = note(`poisoned-${mode}`, "bad");
      poison.add(bad.id);
      await store.appendBatch([bad, note(`poisoned-${mode}`, "after"), note("other", "fine")]);
      await followAnyway();
      expect(await status()).toMatchObject({ builds: [{ openDeadLetters: 1, parkedEvents: 1 }] });
      const [deadLetter] = (await dispatcher.deadLetters.list({ status: "open" })).filter(
        (each) => each.eventId === bad.id,
      );
      poison.clear();
      expect(await dispatcher.deadLetters.retry(deadLetter?.id ?? 0, BY)).toMatchObject({
        status: "retried",
        released: 1,
        parked: 0,
      });
      await followAnyway();
      expect(await shown()).toEqual(await folded());
    }
  });

  it("refuse changed tables under an unchanged version, naming both", async () => {
    const { name, follow } = fresh({});
    await follow();
    const other = { ...recordingProjection({ name }) };
    const tables = other.tables.map((table) => ({ ...table, columns: `${table.columns}, more text` }));
    await expect(process([{ ...other, tables }]).follow()).rejects.toThrow(ProjectionChangedError);
  });

  it("run in segments that keep the order of streams, and change their number on request only", async () => {
    const { name, store, follow, shown, status } = fresh({ segments: 4 });
    await store.appendBatch(notes(60, 13));
    await follow();
    await store.appendBatch(notes(40, 7));
    await follow();
    expect(await shown()).toEqual(await folded());
    expect((await status())?.builds[0]?.segments).toHaveLength(4);
    const wider = process([recordingProjection({ name, segments: 3 })]);
    await store.appendBatch(notes(30, 9));
    await expect(wider.follow()).rejects.toThrow("runs in 4 segments, not in 3");
    await wider.projections.changeSegments(name, BY);
    await store.appendBatch(notes(10, 9));
    await wider.follow();
    expect(await shown()).toEqual(await folded());
    expect((await wider.status())?.builds[0]?.segments).toHaveLength(3);
    const left = await engine.database.query("SELECT FROM synap.checkpoints WHERE handler LIKE $1", [
      `${name}/%of4`,
    ]);
    expect(left).toEqual([]);
  });
});
