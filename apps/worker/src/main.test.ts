import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createTestDatabase, serverVariables, testEngines } from "@synap/database/testing";
import { beforeAll, describe, expect, it } from "vitest";

const folder = fileURLToPath(new URL("..", import.meta.url));

/** Runs a program to its end, or until it says `until` and the test reacts. */
async function run(
  command: readonly string[],
  variables: Readonly<Record<string, string>>,
  until?: { readonly said: RegExp; readonly react: (child: ChildProcess, match: RegExpExecArray) => unknown },
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, command, {
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "", ...variables },
  });
  let output = "";
  let waiting = until;
  const listen = (chunk: Buffer) => {
    output += chunk.toString();
    const match = waiting?.said.exec(output);
    if (waiting === undefined || match === null || match === undefined) return;
    const { react } = waiting;
    waiting = undefined;
    void react(child, match);
  };
  child.stdout.on("data", listen);
  child.stderr.on("data", listen);
  const [code] = await once(child, "exit");
  return { code, output };
}

describe("the worker as a process of its own", () => {
  beforeAll(async () => {
    const { code, output } = await run(
      ["--import", "tsx", "../../packages/service/bundle.ts", "src/main.ts", "dist"],
      {},
    );
    expect({ code, output }).toEqual({ code: 0, output: "" });
  });

  const program = ["dist/main.js"];

  it("reports a missing DATABASE_URL", async () => {
    const { code, output } = await run(program, {});
    expect(code).toBe(2);
    expect(output).toContain("DATABASE_URL is not set");
    expect(output).toContain("npx synap start");
    expect(output).not.toContain("    at ");
  });

  it("logs JSON, or readable lines with SYNAP_LOG_FORMAT=pretty", async () => {
    const json = await run(program, {});
    expect(JSON.parse(json.output)).toMatchObject({ level: 60, name: "worker" });
    const pretty = await run(program, { SYNAP_LOG_FORMAT: "pretty" });
    expect(pretty.output).toMatch(/^20\S+Z fatal worker: DATABASE_URL is not set/);
  });

  it("names the invalid variables", async () => {
    const { code, output } = await run(program, { SYNAP_WORKER_PORT: "many", DATABASE_URL: "postgres://x" });
    expect(code).toBe(2);
    expect(output).toContain("SYNAP_WORKER_PORT");
  });

  it("does not register with the public cloud unless that is configured", async () => {
    const { code, output } = await run(program, {
      DATABASE_URL: "postgres://127.0.0.1:1/none",
      INNGEST_SIGNING_KEY: "key",
    });
    expect(code).toBe(2);
    expect(output).toContain("INNGEST_BASE_URL is not set");
  });

  it.runIf(testEngines().includes("server"))("serves until SIGTERM, then ends with 0", async () => {
    const test = await createTestDatabase("server", "empty");
    try {
      const variables = { ...serverVariables(test), SYNAP_WORKER_PORT: "0", INNGEST_DEV: "1" };
      let ready: unknown;
      const { code, output } = await run(program, variables, {
        said: /listening on (\S+),/,
        react: async (child, [, address]) => {
          ready = await (await fetch(`${address}/readyz`)).json();
          child.kill("SIGTERM");
        },
      });
      expect(ready).toMatchObject({ status: "ok", warnings: [] });
      expect(output).toContain("stopped");
      expect(code).toBe(0);
    } finally {
      await test.drop();
    }
  });
});
