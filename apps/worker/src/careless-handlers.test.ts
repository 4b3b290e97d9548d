import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DatabaseOptions } from "@synap/database";
import type { StoreStatistics } from "@synap/database/internal";
import { createTestDatabase, testEngines } from "@synap/database/testing";
import { createSynapEvent, type SynapEvent } from "@synap/types";
import { afterEach, describe, expect, it } from "vitest";
import type { WorkerRequest } from "../testing/careless-worker.ts";

const program = fileURLToPath(new URL("../testing/careless-worker.ts", import.meta.url));
const cleanups: (() => Promise<unknown>)[] = [];

const note = (content: string) => createSynapEvent({ type: "note.creation.requested", data: { content } });

/** A database that the worker's process opens. */
async function database(engine: "embedded" | "server"): Promise<DatabaseOptions> {
  if (engine === "server") {
    const test = await createTestDatabase("server");
    cleanups.push(() => test.drop());
    return test.options;
  }
  const dataDirectory = await mkdtemp(join(tmpdir(), "synap-careless-"));
  cleanups.push(() => rm(dataDirectory, { recursive: true, force: true }));
  return { dataDirectory };
}

async function start(engine: "embedded" | "server") {
  const options = await database(engine);
  const child: ChildProcess = fork(program, [], {
    execArgv: ["--import", "tsx"],
    env: { PATH: process.env["PATH"], CARELESS_DATABASE: JSON.stringify(options) },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let said = "";
  child.stdout?.on("data", (chunk) => (said += chunk));
  child.stderr?.on("data", (chunk) => (said += chunk));
  const exit = once(child, "exit");
  cleanups.unshift(async () => {
    child.kill("SIGKILL");
    await exit;
  });
  const respond = async (): Promise<unknown> => {
    const ended = exit.then(() => Promise.reject(new Error(`the worker ended: ${said}`)));
    const [message] = await Promise.race([once(child, "message"), ended]);
    return message;
  };
  const ask = async (request: WorkerRequest) => {
    const answered = respond();
    child.send(request);
    return answered;
  };
  await respond();
  return {
    append: (event: SynapEvent) => ask({ kind: "append", event }),
    status: async () => (await ask({ kind: "status" })) as StoreStatistics,
    emitOutside: () => child.send({ kind: "signal" } satisfies WorkerRequest),
    throwOwnException: () => child.send({ kind: "own exception" } satisfies WorkerRequest),
    exit: async () => (await exit)[0],
    logged: () =>
      said
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line): Record<string, unknown> => JSON.parse(line)),
  };
}

/** One is enough: the process is the same on each engine, and starts anew for each test. */
const engines = testEngines().slice(-1);

describe.each(engines)("a worker process whose handlers leave failures behind (%s)", (engine) => {
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup();
  });

  it("survives, handles every event, and names the handler and the event in log and status", async () => {
    const worker = await start(engine);
    const careless = [
      "rejects a promise",
      "rejects a promise later",
      "rejects with anything",
      "throws in a timer",
      "throws in a microtask",
      "throws in a tick",
      "throws in an event",
      "fetches and forgets",
    ].map(note);
    for (const event of careless) await worker.append(event);
    await worker.append(note("is careful"));
    const counts = async () =>
      (await worker.status()).unhandledFailures?.map(({ handler, failures }) => [handler, failures]);
    await expect.poll(counts).toEqual([
      ["careless-async", careless.length],
      ["careless-inline", careless.length],
    ]);
    const last = note("rejects a promise");
    await worker.append(last);
    await expect.poll(counts).toEqual([
      ["careless-async", careless.length + 1],
      ["careless-inline", careless.length + 1],
    ]);
    const status = await worker.status();
    const about = {
      kind: "rejection",
      events: 1,
      eventId: last.id,
      position: status.events.lastPosition,
      code: "error",
      reason: "nobody awaits this",
    };
    expect(status.unhandledFailures).toMatchObject([about, about]);
    expect(status.deadLetters).toBe(0);
    await expect
      .poll(async () => (await worker.status()).handlers)
      .toMatchObject([{ name: "careless-async", lag: 0 }]);
    expect(worker.logged()).toContainEqual(
      expect.objectContaining({
        level: 50,
        handler: "careless-inline",
        kind: "rejection",
        eventId: careless[0]?.id,
        position: expect.any(Number),
        msg: "a promise that nothing awaits of careless-inline failed: nobody awaits this",
      }),
    );
  });

  it("exits with 1 after an exception in a handler's listener on another component's emitter", async () => {
    const worker = await start(engine);
    await worker.append(note("throws in a listener"));
    worker.emitOutside();
    expect(await worker.exit()).toBe(1);
    expect(worker.logged().at(-1)).toMatchObject({
      level: 60,
      err: { stack: expect.stringContaining("careless-worker") },
      msg: "an exception that nothing caught ends the process: in a listener of ours",
    });
  });

  it("exits with 1 after an exception that belongs to no handler", async () => {
    const worker = await start(engine);
    await worker.append(note("rejects a promise"));
    worker.throwOwnException();
    expect(await worker.exit()).toBe(1);
    expect(worker.logged().at(-1)).toMatchObject({
      level: 60,
      msg: "an exception that nothing caught ends the process: a bug of ours",
    });
  });
});
