import { purgeEvents } from "@synap/database/internal";
import { describeOnEveryEngine } from "@synap/database/testing";
import { createSynapEvent, seedCatalogue } from "@synap/types";
import { expect, it } from "vitest";
import { catchUpFully } from "../../testing/handler-scenario.ts";
import { foldedNotes, recordedNotes, recordingProjection } from "../../testing/recording-projection.ts";
import { EventDispatcher } from "../engine/event-dispatcher.ts";

const CANARY = "canary-of-the-purge";
const BY = { by: "user:ops" };

describeOnEveryEngine("read models after a purge", (engine) => {
  let known: EventDispatcher | undefined;
  const dispatcher = () => {
    known ??= new EventDispatcher({
      database: engine.database,
      catalogue: seedCatalogue,
      projections: [
        recordingProjection({ name: "async-notes" }),
        recordingProjection({ name: "inline-notes", mode: "inline" }),
        recordingProjection({ name: "two-versions" }),
        recordingProjection({ name: "two-versions", version: 2 }),
      ],
      maxAttempts: 1,
    });
    return known;
  };
  const follow = async () => {
    for (const name of dispatcher().followers) await catchUpFully(dispatcher(), name);
  };
  const step = () => dispatcher().removePurgedCopies();
  const builds = async (name: string) =>
    (await dispatcher().projections.status())
      .find((projection) => projection.name === name)
      ?.builds.map(({ role, version }) => `${role} ${version}`);
  const append = (content: string, type: "completed" | "requested" = "completed") =>
    dispatcher().store.append(createSynapEvent({ type: `note.creation.${type}`, data: { content } }));
  const purge = async () => {
    const rows = await engine.database.query<{ id: string }>(
      "SELECT id FROM synap.events WHERE data ->> 'content' = $1",
      [CANARY],
    );
    const selection = { ids: rows.map(({ id }) => id) };
    await purgeEvents(engine.database, { selection, reason: "A test", by: "user:ops" });
  };
  const isFinished = async () => {
    const rows = await engine.database.query("SELECT FROM synap.purges WHERE finished_at IS NULL");
    return rows.length === 0;
  };
  /** The tables of read models, of whatever build, that have the canary. */
  const tablesWithCanary = () =>
    engine.database.asOwner(async (owner) => {
      const tables = await owner.query<{ name: string }>(
        "SELECT oid::regclass::text AS name FROM pg_class WHERE relnamespace = 'synap_read'::regnamespace AND relkind = 'r'",
      );
      const found: string[] = [];
      for (const { name } of tables) {
        const rows = await owner.query(`SELECT FROM ${name} AS t WHERE strpos(t::text, $1) > 0`, [CANARY]);
        if (rows.length > 0) found.push(name);
      }
      return found;
    });

  it("are built anew and made live without the purged events", async () => {
    for (const content of ["kept", CANARY, "kept as well"]) await append(content);
    await follow();
    await purge();
    expect(await tablesWithCanary()).toHaveLength(3);
    await step();
    expect(await isFinished()).toBe(false);
    expect(await builds("async-notes")).toEqual(["live 1", "building 1"]);
    await follow();
    await step();
    expect(await tablesWithCanary()).toEqual([]);
    expect(await isFinished()).toBe(true);
    await append("later");
    await follow();
    for (const name of ["async-notes", "inline-notes", "two-versions"]) {
      expect(await builds(name)).toHaveLength(1);
      expect(await recordedNotes(engine.database, name)).toEqual(await foldedNotes(engine.database));
    }
  });

  it("lose a build that was begun before, and leave another version to its operator", async () => {
    const { projections } = dispatcher();
    await append(CANARY);
    await projections.rebuild("two-versions", { ...BY, version: 1 });
    await follow();
    await purge();
    for (let steps = 0; steps < 3; steps += 1) {
      await step();
      await follow();
    }
    expect(await builds("two-versions")).toEqual(["live 2", "building 1"]);
    expect(await isFinished()).toBe(false);
    await projections.cutover("two-versions", { ...BY, compare: false });
    await step();
    expect(await builds("two-versions")).toEqual(["live 1"]);
    expect(await tablesWithCanary()).toEqual([]);
    expect(await isFinished()).toBe(true);
  });

  it("wait for a paused projection", async () => {
    const { projections } = dispatcher();
    await append(CANARY);
    await follow();
    await projections.pause("async-notes", BY);
    await purge();
    for (let steps = 0; steps < 3; steps += 1) {
      await step();
      await follow();
    }
    expect(await tablesWithCanary()).toHaveLength(1);
    await projections.resume("async-notes", BY);
    await follow();
    await step();
    expect(await tablesWithCanary()).toEqual([]);
    expect(await isFinished()).toBe(true);
  });

  it("stay as they are where the purged types are not theirs", async () => {
    await append(CANARY, "requested");
    await follow();
    const before = await dispatcher().projections.status();
    await purge();
    await step();
    const live = (projections: typeof before) =>
      projections.map((each) => each.builds.map(({ build }) => build));
    expect(live(await dispatcher().projections.status())).toEqual(live(before));
    expect(await isFinished()).toBe(true);
  });
});
