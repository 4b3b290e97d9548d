import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningSynap, runSynap } from "../src/synap/run-synap.ts";

const run = promisify(execFile);
const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
const tour = [...readme.matchAll(/```bash tour\n([\s\S]*?)```/g)].map((block) => block[1] ?? "");

let directory: string;
let synap: RunningSynap;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "synap-tour-"));
  synap = await runSynap({
    dataDirectory: directory,
    apiPort: 0,
    workerPort: 0,
    brokerPort: 0,
    logLevel: "silent",
  });
});

afterAll(async () => {
  await synap.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Runs one block of the README as a reader would paste it, against the port of this test. */
async function paste(block: string | undefined): Promise<string> {
  const commands = (block ?? "exit 1").replaceAll("http://127.0.0.1:3400", synap.apiUrl);
  const { stdout } = await run("bash", ["-euo", "pipefail", "-c", commands]);
  return stdout;
}

async function eventually<T>(read: () => Promise<T>, done: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const value = await read();
    if (done(value) || Date.now() > deadline) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe("the README's five-minute tour", () => {
  it("has the five stops that this test knows", () => {
    expect(tour).toHaveLength(5);
  });

  it("publishes an event and is told that it is accepted", async () => {
    expect(JSON.parse(await paste(tour[0]))).toMatchObject({ status: "accepted", id: expect.any(String) });
  });

  it("reads the event and the reaction to it, newest first", async () => {
    const { events } = await eventually(
      async () => JSON.parse(await paste(tour[1])),
      (page) => page.events.length === 2,
    );
    expect(events).toMatchObject([
      { type: "note.creation.completed", causationId: events[1].id, correlationId: "tour-1" },
      { type: "note.creation.requested", data: { content: "Buy milk", title: "Groceries" }, userId: "ada" },
    ]);
  });

  it("sends an event twice and stores it once", async () => {
    const answers = (await paste(tour[2]))
      .replaceAll("}{", "}\n{")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(answers).toMatchObject([{ status: "accepted" }, { status: "duplicate", id: answers[0].id }]);
  });

  it("is told what is wrong with the bad event while the good one goes through", async () => {
    const { results } = JSON.parse(await paste(tour[3]));
    expect(results[0]).toMatchObject({ index: 0, status: "accepted" });
    expect(results[1]).toMatchObject({ index: 1, status: "rejected", path: expect.stringContaining("data") });
  });

  it("sees how the whole is doing", async () => {
    expect(JSON.parse(await paste(tour[4]))).toMatchObject({ engine: "embedded" });
  });
});
