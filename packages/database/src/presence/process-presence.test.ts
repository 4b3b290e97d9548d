import { createEventCatalogue, defineEventType } from "@synap/types";
import { afterEach, expect, it, vi } from "vitest";
import { z } from "zod";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { type PresenceOptions, type ProcessPresence, startPresence } from "./process-presence.ts";

const type = (name: `${string}.${string}`, field: string) =>
  defineEventType({
    name,
    description: `Of ${field}.`,
    schema: z.strictObject({ [field]: z.string() }),
    example: { [field]: "x" },
  });
const older = createEventCatalogue([type("a.same", "x"), type("a.changed", "x"), type("a.removed", "x")]);
const newer = createEventCatalogue([type("a.added", "x"), type("a.changed", "y"), type("a.same", "x")]);

describeOnEveryEngine("the presence of processes", (engine) => {
  const running: ProcessPresence[] = [];
  async function start(about: Partial<PresenceOptions> & Pick<PresenceOptions, "role" | "catalogue">) {
    const logged: string[] = [];
    const log = (_fields: object, message: string) => logged.push(message);
    const { database } = engine;
    const presence = await startPresence({
      database,
      intervalMs: 10,
      logger: { info: log, warn: log, error: log },
      ...about,
    });
    running.push(presence);
    return { presence, logged };
  }
  afterEach(async () => {
    await Promise.all(running.splice(0).map((presence) => presence.close()));
  });

  it("logs the types that differ between two processes, on both sides, once per change", async () => {
    const api = await start({ role: "api", catalogue: newer });
    expect(await api.presence.look()).toEqual([]);
    const worker = await start({ role: "worker", catalogue: older });
    const seen = await api.presence.look();
    expect(seen).toEqual([
      {
        instance: worker.presence.instance,
        role: "worker",
        release: expect.any(String),
        difference: { missingThere: ["a.added"], missingHere: ["a.removed"], different: ["a.changed"] },
      },
    ]);
    expect(worker.presence.others()).toMatchObject([
      { role: "api", difference: { missingThere: ["a.removed"], missingHere: ["a.added"] } },
    ]);
    await api.presence.look();
    expect(api.logged).toEqual([
      `the event types of running processes differ: ${worker.presence.instance} does not know a.added and knows ` +
        "a.removed, which this process does not and has another schema of a.changed",
    ]);

    await worker.presence.close();
    const upgraded = await start({
      role: "worker",
      catalogue: createEventCatalogue([...newer.types].reverse()),
    });
    expect(await api.presence.look()).toEqual([
      { instance: upgraded.presence.instance, role: "worker", release: expect.any(String) },
    ]);
    expect(api.logged.at(-1)).toBe("all running processes know the same event types again");
    expect(api.logged).toHaveLength(2);
  });

  it("notices changes by itself, and drops a process that has been silent for a while", async () => {
    const api = await start({ role: "api", catalogue: newer });
    const worker = await start({ role: "worker", catalogue: older, intervalMs: 3_600_000 });
    await vi.waitFor(() => expect(api.presence.others()).toHaveLength(1));
    await engine.database.query(
      "UPDATE synap.running_processes SET seen_at = now() - interval '21 s' WHERE instance = $1",
      [worker.presence.instance],
    );
    await vi.waitFor(() => expect(api.presence.others()).toEqual([]));
    // A process whose row was removed while it hung announces itself again.
    await engine.database.query("DELETE FROM synap.running_processes WHERE instance = $1", [
      api.presence.instance,
    ]);
    await vi.waitFor(async () => expect(await worker.presence.look()).toHaveLength(1));
  });

  it("starts without the database, logs that once, and continues when it answers", async () => {
    let isAway = true;
    let beats = 0;
    const { presence, logged } = await start({
      role: "worker",
      catalogue: older,
      database: {
        query: (text, parameters) =>
          isAway ? Promise.reject(new Error("away")) : engine.database.query(text, parameters),
      },
      onBeat: async () => {
        beats += 1;
      },
    });
    expect(presence.others()).toEqual([]);
    expect(logged).toEqual(["this process could not announce itself; trying again"]);
    isAway = false;
    await vi.waitFor(() => expect(beats).toBeGreaterThan(1));
    expect(logged).toHaveLength(1);
  });
});
