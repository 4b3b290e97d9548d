import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningSynap, runSynap } from "@synap/cli/all-in-one/run-synap.ts";
import { createSynapClient, isProblem, SynapProblem } from "@synap/client";
import type { reservationDecider } from "@synap/domain";
import type { seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let directory: string;
let running: RunningSynap;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "synap-client-"));
  const ports = { apiPort: 0, workerPort: 0, brokerPort: 0 };
  running = await runSynap({ ...ports, dataDirectory: join(directory, "data"), logLevel: "silent" });
});
afterAll(async () => {
  await running.stop();
  rmSync(directory, { recursive: true, force: true });
});

const connect = () =>
  createSynapClient<typeof seedCatalogue>({
    url: running.apiUrl,
    token: running.token,
    actor: "ada",
  });
const task = (title: string) => ({ type: "task.created", data: { title } }) as const;
const request = (content: string) => ({ type: "note.creation.requested", data: { content } }) as const;

describe("a client of a Synap that runs", () => {
  it("publishes, waits until the event is stored, and reads it with its type", async () => {
    const synap = connect();
    const { id } = await synap.publish(request("Buy milk"));
    const stored = await synap.waitUntilStored(id);
    if (stored.type !== "note.creation.requested") throw new Error("another type");
    expect(stored.data.content).toBe("Buy milk");
    expect(await synap.publish({ ...request("Buy milk"), id })).toMatchObject({ status: "duplicate", id });
  });

  it("publishes many at once, maps every result to its event, and queries them page by page", async () => {
    const synap = connect();
    const wrong = { type: "note.creation.requested", data: { contents: "x" } } as never;
    const events = Array.from({ length: 40 }, (_, n) => ({ ...request(`n${n}`), userId: "many" }));
    const results = await synap.publishBatch([...events.slice(0, 20), wrong, ...events.slice(20)]);
    expect(results.map(({ status }) => status)).toEqual(
      results.map((_, index) => (index === 20 ? "rejected" : "accepted")),
    );
    for (const result of results) if (result.status === "accepted") await synap.waitUntilStored(result.id);
    const contents = new Set<string>();
    const query = { type: "note.creation.requested", userId: "many", pageSize: 7 } as const;
    for await (const event of synap.query(query)) contents.add(event.data.content);
    expect(contents.size).toBe(40);
    await expect(synap.publish(wrong)).rejects.toMatchObject({ code: "event-invalid" });
  });

  it("appends with an expected version, and a conflict names the actual one", async () => {
    const synap = connect();
    const stream = { aggregateType: "task", aggregateId: "versioned" };
    const first = await synap.append(stream, [task("one"), task("two")], {
      expectedVersion: "no-stream",
    });
    expect(first.streamVersion).toBe(2);
    const error = await synap.append(stream, [task("three")], { expectedVersion: 1 }).catch((e) => e);
    if (!isProblem(error, "optimistic-lock")) throw error;
    expect(error.problem.actualVersion).toBe(2);
    const versions = async (direction: "forwards" | "backwards") => {
      const seen: number[] = [];
      for await (const event of synap.readStream(stream, { direction, pageSize: 1 }))
        seen.push(event.streamVersion);
      return seen;
    };
    expect(await versions("forwards")).toEqual([1, 2]);
    expect(await versions("backwards")).toEqual([2, 1]);
    await synap.closeStream(stream, { expectedVersion: 2 });
    expect(await synap.getStream(stream)).toMatchObject({ streamVersion: 2, closedAt: expect.any(String) });
    await expect(synap.append(stream, [task("late")])).rejects.toMatchObject({ code: "stream-closed" });
  });

  it("follows events from a position on", async () => {
    const synap = connect();
    const stop = new AbortController();
    const stream = { aggregateType: "note", aggregateId: "followed" };
    const { position } = await synap.append(stream, [request("before")]);
    const seen: string[] = [];
    const following = (async () => {
      const live = synap.subscribe({ from: position, type: "note.creation.requested", signal: stop.signal });
      for await (const event of live) {
        seen.push(event.data.content);
        if (seen.length === 3) return;
      }
    })();
    for (const content of ["a", "b", "c"]) await synap.append(stream, [request(content)]);
    await following;
    expect(seen).toEqual(["a", "b", "c"]);
  });

  it("reads its own writes from a read model", async () => {
    const synap = connect();
    const { position } = await synap.append({ aggregateType: "task", aggregateId: "t1" }, [
      { type: "task.created", data: { title: "Call Acme", assigneeId: "ada" } },
    ]);
    await synap.waitFor(position, "tasks-view");
    const { tasks } = await synap.readModels.openTasks({ owner: "ada" });
    expect(tasks.map(({ title }) => title)).toEqual(["Call Acme"]);
    await expect(synap.waitFor(1, "task-view")).rejects.toMatchObject({ code: "handler-unknown" });
  });

  it("executes commands of an aggregate, and loads it as it was", async () => {
    const synap = connect();
    const reservations = synap.aggregates<typeof reservationDecider>({
      type: "reservation",
      path: "reservations",
    });
    const created = await reservations.execute("r1", {
      type: "create",
      data: { guestId: "g1", startDate: "2027-01-01" },
    });
    expect(created.version).toBe(1);
    await reservations.execute("r1", { type: "cancel", data: { reason: "ill" } }, { expectedVersion: 1 });
    expect((await reservations.load("r1"))?.version).toBe(2);
    expect((await reservations.load("r1", { version: 1 }))?.state).toEqual(created.state);
    expect(await reservations.load("none")).toBeUndefined();
    const refused = await reservations
      .execute("r1", { type: "reschedule", data: { startDate: "2027-01-02" } })
      .catch((e) => e);
    expect(refused).toBeInstanceOf(SynapProblem);
    expect(isProblem(refused, "command-refused")).toBe(true);
  });

  it("operates: status, projections and dead letters", async () => {
    const synap = connect();
    expect((await synap.admin.status()).engine).toBe("embedded");
    const { state } = await synap.admin.projection("tasks-view");
    expect(state).toBe("running");
    await synap.admin.pauseProjection("tasks-view");
    expect((await synap.admin.projection("tasks-view")).state).toBe("paused");
    await synap.admin.resumeProjection("tasks-view");
    for await (const deadLetter of synap.admin.deadLetters({ status: "open" }))
      expect(deadLetter.status).toBe("open");
    await expect(synap.admin.deadLetter(999_999)).rejects.toMatchObject({ code: "dead-letter-not-found" });
  });
});
