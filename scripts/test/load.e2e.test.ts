import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningSynap, runSynap } from "@synap/cli/all-in-one/run-synap.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runSynapCommand } from "../src/processes/run-command.ts";

const NOT_THERE = "http://127.0.0.1:9999";

let directory: string;
let synap: RunningSynap;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "synap-load-"));
  synap = await runSynap({
    dataDirectory: join(directory, "data"),
    apiPort: 0,
    workerPort: 0,
    brokerPort: 0,
    logLevel: "silent",
  });
});
afterAll(async () => {
  await synap.stop();
  rmSync(directory, { recursive: true, force: true });
});

const note = (content: string, more: object = {}) =>
  `${JSON.stringify({ type: "note.creation.requested", data: { content }, ...more })}\n`;

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

async function stored(user: string, count: number): Promise<{ id: string; data: { content: string } }[]> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const query = `type=note.creation.requested&userId=${user}&limit=1000&order=asc`;
    const response = await fetch(`${synap.apiUrl}/api/v1/events?${query}`);
    const { events } = JSON.parse(await response.text());
    if (events.length >= count || Date.now() > deadline) return events;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe("npx -y pnpm@12 load", () => {
  it("loads a file, and loading it again changes nothing", async () => {
    const lines = Array.from({ length: 250 }, (_, index) => note(`note ${index}`, { userId: "ivan" })).join(
      "",
    );
    const path = file("notes.ndjson", lines);
    const first = runSynapCommand(["load", path, "--url", synap.apiUrl, "--batch", "100"]);
    expect(await first.ended).toBe(0);
    expect(first.stdout()).toMatch(/^250 events accepted in /);
    expect(first.output().match(/^100 %.*/gm), "the last progress is shown once").toHaveLength(1);
    expect(await stored("ivan", 250)).toHaveLength(250);

    const again = runSynapCommand(["load", path, "--url", synap.apiUrl, "--restart"]);
    expect(await again.ended).toBe(0);
    expect(again.stdout()).toMatch(/250 were stored before/);
    expect(await stored("ivan", 250)).toHaveLength(250);
  });

  it("reports rejected lines beside the file and exits 5", async () => {
    const old = note("old", { timestamp: "2001-01-01T00:00:00Z" });
    const text = [note("good", { userId: "rita" }), note("", { userId: "rita" }), "no json\n", old].join("");
    const path = file("mixed.ndjson", text);
    const command = runSynapCommand(["load", path, "--url", synap.apiUrl]);
    expect(await command.ended).toBe(5);
    expect(command.stdout()).toContain("3 lines rejected, see ");
    expect(command.stdout()).toContain("1 of them is older than the API takes as live events");
    const report = readFileSync(`${path}.rejected.ndjson`, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(report).toMatchObject([
      { line: 2, path: "data.content", original: note("", { userId: "rita" }).trim() },
      { line: 3, code: "invalid-json", original: "no json" },
      { line: 4, code: "timestamp-too-old", path: "timestamp" },
    ]);
    expect(await stored("rita", 1)).toHaveLength(1);
  });

  it("leaves a last line that is half written until it is whole, and refuses a file that was changed", async () => {
    const [first, second] = [note("one", { userId: "gwen" }), note("two", { userId: "gwen" })];
    const path = file("growing.ndjson", first + second.slice(0, 30));
    const half = runSynapCommand(["load", path, "--url", synap.apiUrl]);
    expect(await half.ended).toBe(5);
    expect(half.stdout()).toContain("line 2 has no line break and is not a complete JSON object: not sent");
    writeFileSync(path, first + second);
    const whole = runSynapCommand(["load", path, "--url", synap.apiUrl]);
    expect(await whole.ended).toBe(0);
    expect((await stored("gwen", 2)).map(({ data }) => data.content).sort()).toEqual(["one", "two"]);
    writeFileSync(path, second + first);
    const changed = runSynapCommand(["load", path, "--url", synap.apiUrl]);
    expect(await changed.ended).toBe(1);
    expect(changed.output()).toContain("is neither the file that was loaded nor an extension of it");
    expect(await stored("gwen", 2)).toHaveLength(2);
  });

  it("loads old events with the token of the data directory, and says when the token is wrong", async () => {
    const path = file("old.ndjson", note("old", { userId: "olga", timestamp: "2001-01-01T00:00:00Z" }));
    const wrong = runSynapCommand([
      "load",
      path,
      "--url",
      synap.apiUrl,
      "--backfill",
      "--token",
      "not-the-token",
    ]);
    expect(await wrong.ended).toBe(4);
    expect(wrong.output()).toContain("Give an API key with the scopes publish and backfill: --token");
    const right = runSynapCommand([
      "load",
      path,
      "--url",
      synap.apiUrl,
      "--backfill",
      "--data",
      synap.dataDirectory,
    ]);
    expect(await right.ended).toBe(0);
    expect(await stored("olga", 1)).toHaveLength(1);
  });

  it("gives advice for events that are too old, which stores them when it is followed", async () => {
    const path = file("older.ndjson", note("older", { userId: "otto", timestamp: "2001-01-01T00:00:00Z" }));
    const refused = runSynapCommand(["load", path, "--url", synap.apiUrl]);
    expect(await refused.ended).toBe(5);
    const [, options = ""] = /load the file again with ((?:--[a-z]+ ?)+)/.exec(refused.output()) ?? [];
    const advised = [
      "load",
      path,
      "--url",
      synap.apiUrl,
      ...options.split(" "),
      "--data",
      synap.dataDirectory,
    ];
    expect(await runSynapCommand(advised).ended).toBe(0);
    expect(await stored("otto", 1)).toHaveLength(1);
  });

  it("reads standard input", async () => {
    const input = note("from a pipe", { userId: "pipa" });
    const command = runSynapCommand(["load", "-", "--url", synap.apiUrl], { input });
    expect(await command.ended).toBe(0);
    expect(await stored("pipa", 1)).toHaveLength(1);
  });

  it("says clearly that the file or the API is missing", async () => {
    const missing = runSynapCommand(["load", join(directory, "none.ndjson"), "--url", synap.apiUrl]);
    expect(await missing.ended).toBe(1);
    expect(missing.output()).toContain("There is no file");
    const away = runSynapCommand(["load", file("one.ndjson", note("one")), "--url", NOT_THERE]);
    expect(await away.ended).toBe(3);
    expect(away.output()).toContain(`The API at ${NOT_THERE} can't be reached: nothing listens there`);
    expect(away.output()).not.toContain("    at ");
  });
});
