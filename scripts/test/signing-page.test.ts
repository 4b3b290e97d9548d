import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { pages } from "./docs/documentation.ts";
import { writePrograms } from "./docs/programs.ts";
import { eventually, Reader } from "./processes/page-tour.ts";

const run = promisify(execFile);
const SECRET = randomBytes(32).toString("hex");
const blocks = pages.find(({ path }) => path === "docs/security.md")?.blocks ?? [];
const bash = (word: string) =>
  blocks.find(({ info, text }) => info === "bash" && text.includes(word))?.text ?? "exit 1";

let folder: string;
let reader: Reader;
beforeAll(async () => {
  folder = await writePrograms();
  const settings = bash("SYNAP_JWT_SECRET=$").replaceAll("$(openssl rand -hex 32)", SECRET);
  for (const [, name = "", value = ""] of settings.matchAll(/(SYNAP_\w+)=('[^']*'|\S+)/g))
    vi.stubEnv(name, value.replaceAll("'", ""));
  reader = await Reader.start().finally(() => vi.unstubAllEnvs());
});
afterAll(async () => {
  await reader.stop();
  await rm(folder, { recursive: true, force: true });
});

it("docs/security.md shows how to sign a token, and the API accepts it as the page says", async () => {
  const program = ["--import", import.meta.resolve("tsx"), join(folder, "docs/security.md/token.ts")];
  const { stdout: token } = await run(process.execPath, program, {
    env: { ...process.env, SYNAP_JWT_SECRET: SECRET },
  });
  const commands = bash("npx tsx token.ts");
  expect(commands).toContain("$(npx tsx token.ts)");
  const answer = JSON.parse(await reader.paste(commands.replace("$(npx tsx token.ts)", token.trim())));
  expect(answer).toMatchObject({ status: "accepted" });
  const read = `curl -s -H "Authorization: Bearer ${token.trim()}" http://127.0.0.1:3400/api/v1/events/${answer.id}`;
  const event = await eventually(
    async () => JSON.parse(await reader.paste(read)),
    ({ id }) => id === answer.id,
  );
  expect(event).toMatchObject({ createdBy: "user:grace", userId: "grace" });
});
