import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTemporaryDatabase, type TemporaryDatabase } from "../src/performance/temporary-database.ts";
import { productionCommands } from "../src/processes/production-commands.ts";
import { runCommand } from "../src/processes/run-command.ts";
import { buildBundles, SeparateProcesses } from "../src/processes/separate-processes.ts";
import { stagesOf } from "./shop/image.ts";

const root = join(import.meta.dirname, "../..");
const stages = stagesOf(readFileSync(join(root, "Dockerfile"), "utf8"));
const serverUrl = process.env["TEST_DATABASE_URL"];

describe.skipIf(serverUrl === undefined)("the commands of the production images", () => {
  let temporary: TemporaryDatabase;
  let processes: SeparateProcesses | undefined;

  beforeAll(async () => {
    buildBundles();
    temporary = await createTemporaryDatabase(serverUrl, "processes");
    processes = await SeparateProcesses.start(temporary.url ?? "");
  });
  afterAll(async () => {
    await processes?.stop();
    await temporary?.remove();
  });

  it.each(["migrate", "api", "worker"] as const)(
    "%s refuses a config that is mounted into its image, and names the cure",
    async (name) => {
      const image = mkdtempSync(join(tmpdir(), "synap-image-"));
      for (const [instruction, rest] of stages.get(name)?.steps ?? []) {
        const [, from, to] = /^--from=build \/synap\/(\S+) (\S+)$/.exec(rest) ?? [];
        if (instruction !== "COPY" || from === undefined || to === undefined) continue;
        const target = to.endsWith("/") ? join(to, basename(from)) : to;
        cpSync(join(root, from), join(image, target), { recursive: true });
      }
      const config = 'import { defineConfig } from "@synap/synap";\nexport default defineConfig({});\n';
      try {
        for (const file of ["synap.config.ts", "synap.config.mjs"]) {
          writeFileSync(join(image, file), config);
          const env = { DATABASE_URL: temporary.url ?? "", INNGEST_DEV: "1", SYNAP_CONFIG: file };
          const command = runCommand(productionCommands[name], [], { env, cwd: image });
          expect(await command.ended).toBe(1);
          expect(command.output()).toContain(`${join(image, file)}: it can't be loaded: Cannot find package`);
          expect(command.output()).toContain("build an image of the application");
        }
      } finally {
        rmSync(image, { recursive: true, force: true });
      }
    },
  );

  it("carry an event all the way and stop with 0", async () => {
    const url = `${processes?.apiUrl}/api/v1/events`;
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        type: "note.creation.requested",
        data: { content: "by bundle" },
        userId: "bea",
      }),
    });
    expect(response.status).toBe(202);
    const deadline = Date.now() + 60_000;
    let events: unknown[] = [];
    while (events.length < 2 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      ({ events } = JSON.parse(await (await fetch(`${url}?userId=bea`)).text()));
    }
    expect(events).toMatchObject([{ type: "note.creation.completed" }, { type: "note.creation.requested" }]);
    expect(await processes?.stop()).toEqual({ api: 0, broker: 0, worker: 0 });
  });
});
