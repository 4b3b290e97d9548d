import { startTestApi, type TestApi, TOKEN } from "@synap/api/testing/start-test-api.ts";
import { defineSink } from "@synap/handlers";
import { EventDispatcher } from "@synap/handlers/internal";
import { EXIT } from "@synap/service/exit-codes";
import { createSynapEvent, seedCatalogue } from "@synap/types";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { runInProcess } from "../../../testing/run-in-process.ts";
import { runCli } from "../run-cli.ts";

describe("synap sinks", () => {
  let api: TestApi;
  const exitCode = process.exitCode;
  const sink = defineSink({
    name: "reporting",
    description: "Revenue, for finance.",
    eventTypes: ["note.creation.completed"],
    promise: {
      destination: "PostgreSQL",
      ordered: true,
      transactional: true,
      idempotent: true,
      guarantee: "effectively once",
      keepsCheckpoint: true,
    },
    open: () => Promise.reject(new Error("not in this test")),
  });

  beforeAll(async () => {
    api = await startTestApi({}, "embedded", { sinks: [sink] });
    const { store } = new EventDispatcher({ database: api.database, catalogue: seedCatalogue });
    await store.append(createSynapEvent({ type: "note.creation.completed", data: { content: "x" } }));
  });
  afterEach(() => {
    process.exitCode = exitCode;
  });
  afterAll(() => api.stop());

  const run = (...args: readonly string[]) =>
    runInProcess(() => runCli(["--url", api.url, "--token", TOKEN, "sinks", ...args]));

  it("lists them and shows one, with the guarantee and what it is behind", async () => {
    const list = await run("list");
    expect(list.code).toBe(EXIT.done);
    expect(list.out.join("\n")).toMatch(/SINK .*GUARANTEE[\s\S]*reporting .*effectively once .*stopped +1 /);
    expect((await run("show", "reporting")).out.join("\n")).toMatch(
      /Revenue, for finance\.[\s\S]*1 event waits/,
    );
    const { sinks } = JSON.parse((await run("list", "--json")).out.join("\n"));
    expect(sinks).toMatchObject([{ name: "reporting", state: "stopped", lagEvents: 1 }]);
  });

  it("pauses one and resumes it", async () => {
    expect((await run("pause", "reporting")).out).toEqual(["reporting is paused."]);
    expect((await run("resume", "reporting")).out).toEqual(["reporting is stopped."]);
  });

  it("fails for a name that no sink has", async () => {
    const { code, all } = await run("pause", "reportin");
    expect(code).toBe(EXIT.failed);
    expect(all.join("\n")).toContain('did you mean "reporting"?');
  });
});
