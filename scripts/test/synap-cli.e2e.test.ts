import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningSynap, runSynap } from "@synap/cli/all-in-one/run-synap.ts";
import { notesProjection } from "@synap/domain";
import type { Projection } from "@synap/handlers";
import { EventDispatcher } from "@synap/handlers/internal";
import { createSynapEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type RunningCommand, runSynapCommand } from "../src/processes/run-command.ts";

const NOT_THERE = "http://127.0.0.1:9";

let directory: string;
let synap: RunningSynap;
const commands: RunningCommand[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "synap-cli-"));
  synap = await startSynap(0);
  const inline = "SELECT FROM synap.projection_builds WHERE mode = 'inline'";
  await vi.waitFor(async () => expect(await synap.database.query(inline)).toHaveLength(1), 30_000);
});
afterAll(async () => {
  for (const { child } of commands) child.kill("SIGKILL");
  await synap.stop();
  rmSync(directory, { recursive: true, force: true });
});

function startSynap(apiPort: number): Promise<RunningSynap> {
  const data = join(directory, "data");
  return runSynap({ dataDirectory: data, apiPort, workerPort: 0, brokerPort: 0, logLevel: "silent" });
}

/** Starts `synap` as a person would who has the data directory. */
function begin(args: readonly string[], env: Record<string, string> = {}): RunningCommand {
  const command = runSynapCommand(args, {
    env: { SYNAP_URL: synap.apiUrl, SYNAP_DATA_DIR: synap.dataDirectory, ...env },
  });
  commands.push(command);
  return command;
}

/** Runs it to its end. */
async function cli(args: readonly string[], env: Record<string, string> = {}) {
  const command = begin(args, env);
  const exitCode = await command.ended;
  return { exitCode, stdout: command.stdout(), output: command.output() };
}

const note = (aggregateId: string, content: string): SynapEvent =>
  createSynapEvent({ type: "note.creation.completed", aggregateId, data: { content } });

/** Stores events; the projection of the notes fails on those that begin with "bad". */
async function store(...events: readonly SynapEvent[]): Promise<void> {
  const fussy: Projection = {
    ...notesProjection,
    async apply(all) {
      if (all.some(({ data }) => String(data["content"]).startsWith("bad")))
        throw new RangeError("it is bad");
    },
  };
  const { database } = synap;
  const dispatcher = new EventDispatcher({ database, catalogue: seedCatalogue, projections: [fussy] });
  for (const event of events) await dispatcher.store.append(event);
}

/** Stores a bad event and two good ones of a stream, and gives the number of the dead letter. */
async function letterOf(stream: string): Promise<string> {
  await store(note(stream, "bad"), note(stream, "second"), note(stream, "third"));
  const { stdout } = await cli(["dead-letters", "list", "--stream", `note/${stream}`, "--json"]);
  return String(JSON.parse(stdout).deadLetters[0].id);
}

const widest = (text: string) => Math.max(...text.split("\n").map((line) => [...line].length));

describe("npx -y pnpm@12 synap", () => {
  it("explains every command, with an example, its exit codes and no line wider than a terminal", async () => {
    const groups = [
      [],
      ["status"],
      ["streams", "read"],
      ["aggregates", "show"],
      ["events", "tail"],
      ["dead-letters", "retry"],
      ["projections", "rebuild"],
    ];
    for (const group of groups) {
      const { exitCode, stdout } = await cli([...group, "--help"]);
      expect(exitCode).toBe(0);
      expect(stdout).toContain("npx -y pnpm@12 synap");
      expect(widest(stdout)).toBeLessThanOrEqual(80);
    }
    expect((await cli(["--help"])).stdout).toMatch(/^Exit codes:\n {2}0 +done$/m);
  });

  it("says what it did not understand, and exits 2", async () => {
    for (const [args, says] of [
      [["stauts"], 'unknown command "stauts" (did you mean "status"?)'],
      [["strat"], 'unknown command "strat" (did you mean "start"?)'],
      [["--url", NOT_THERE, "strat"], 'unknown command "strat" (did you mean "start"?)'],
      [["--url", NOT_THERE, "start"], '"start" must come before all options'],
      [["projections", "list", "--jsn"], 'unknown option "--jsn" (did you mean "--json"?)'],
      [["dead-letters", "retry", "abc"], "It must be the number of a dead letter."],
      [["dead-letters", "skip", "1"], 'required option "--reason <text>" not specified'],
      [["events", "tail", "--from", "yesterday"], "It must be now, start, or a position"],
    ] as const) {
      const { exitCode, output } = await cli(args);
      expect([exitCode, output]).toEqual([2, expect.stringContaining(says)]);
    }
  });

  it("says how to start an API that is not there, and exits 3", async () => {
    for (const args of [["status"], ["events", "tail"], ["dead-letters", "list", "--data", "/nowhere"]]) {
      const { exitCode, output } = await cli([...args, "--url", NOT_THERE]);
      expect(exitCode).toBe(3);
      expect(output).toContain(`The API at ${NOT_THERE} can't be reached: `);
      expect(output).toContain("npm start");
      expect(output).not.toContain("    at ");
    }
  });

  it("says where a token comes from, and exits 4", async () => {
    const none = await cli(["dead-letters", "list", "--data", join(directory, "elsewhere")]);
    expect(none.exitCode).toBe(4);
    expect(none.output).toContain(`there is none at ${join(directory, "elsewhere", "api-key")}`);
    const wrong = await cli(["dead-letters", "list"], { SYNAP_TOKEN: "this-is-not-the-token" });
    expect(wrong.exitCode).toBe(4);
    expect(wrong.output).toContain("does not accept the token from --token or SYNAP_TOKEN");
    const right = await cli(["dead-letters", "list", "--data", "/nowhere", "--token", synap.token]);
    expect(right.exitCode).toBe(0);
  });
});

describe("synap status", () => {
  it("shows the store and every handler, and as JSON what the API says", async () => {
    const { exitCode, stdout } = await cli(["status"]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^store +embedded, PostgreSQL 17/m);
    expect(stdout).toMatch(/^notes\/1 +inline/m);
    expect(stdout).toMatch(/^note-creation-reactor +async +\d/m);
    expect(widest(stdout)).toBeLessThanOrEqual(100);
    const json = JSON.parse((await cli(["status", "--json"])).stdout);
    expect(json.handlers).toContainEqual(expect.objectContaining({ name: "notes/1", mode: "inline" }));
  });

  it("shows what everybody may see to somebody without the token", async () => {
    const { exitCode, stdout } = await cli(["status", "--data", join(directory, "elsewhere")]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^events +\d/m);
  });
});

describe("synap streams read", () => {
  it("shows a stream, part of it, and either end first", async () => {
    await store(...Array.from({ length: 12 }, (_, index) => note("river", `part ${index + 1}`)));
    const all = await cli(["streams", "read", "note", "river"]);
    expect(all.exitCode).toBe(0);
    expect(all.stdout).toContain("note river is at version 12");
    expect([...all.stdout.matchAll(/"part (\d+)"/g)].map(([, part]) => Number(part))).toEqual(
      Array.from({ length: 12 }, (_, index) => index + 1),
    );
    expect(widest(all.stdout)).toBeLessThanOrEqual(100);
    const part = await cli([
      "streams",
      "read",
      "note",
      "river",
      "--from",
      "3",
      "--to",
      "5",
      "--backwards",
      "--json",
    ]);
    const events = part.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events.map(({ streamVersion }) => streamVersion)).toEqual([5, 4, 3]);
    expect(events[0]).toMatchObject({ aggregateId: "river", data: { content: "part 5" } });
  });

  it("says that there is no such stream, and exits 1", async () => {
    const { exitCode, output } = await cli(["streams", "read", "note", "no such/stream"]);
    expect([exitCode, output]).toEqual([1, expect.stringContaining("no such/stream")]);
  });
});

describe("synap aggregates show", () => {
  it("shows an aggregate of a kind without rules, now and at a version or moment", async () => {
    await store(note("state", "first"), note("state", "second"));
    const now = await cli(["aggregates", "show", "note", "state"]);
    expect(now.exitCode).toBe(0);
    expect(now.stdout).toContain("note state at version 2. The newest data of each type of event:");
    expect(now.stdout).toContain('"content": "second"');
    const before = await cli(["aggregates", "show", "note", "state", "--version", "1", "--json"]);
    expect(JSON.parse(before.stdout)).toMatchObject({
      version: 1,
      state: { "note.creation.completed": { content: "first" } },
    });
    const long = await cli(["aggregates", "show", "note", "state", "--at", "2020-01-01T00:00:00Z"]);
    expect([long.exitCode, long.output]).toEqual([1, expect.stringContaining("There is no note state at")]);
    const wrong = await cli(["aggregates", "show", "note", "state", "--at", "yesterday"]);
    expect([wrong.exitCode, wrong.output]).toEqual([2, expect.stringContaining("It must be a moment")]);
  });
});

describe("synap events tail", () => {
  it("shows what is stored and what comes, goes on when the API was away, and ends on Ctrl-C with 0", async () => {
    await store(note("tail", "before"));
    const tail = begin(["events", "tail", "--from", "start", "--type", "note.creation.completed"]);
    await tail.waitFor(/"before"/);
    await store(note("tail", "live"));
    await tail.waitFor(/"live"/);
    const port = Number(new URL(synap.apiUrl).port);
    await synap.stop();
    await tail.waitFor(/Waiting for the API/);
    synap = await startSynap(port);
    await tail.waitFor(/Going on\./);
    await store(note("tail", "after"));
    await tail.waitFor(/"after"/);
    tail.child.kill("SIGINT");
    expect(await tail.ended).toBe(0);
    const shown = [...tail.stdout().matchAll(/"(before|live|after)"/g)].map(([, word]) => word);
    expect(shown).toEqual(["before", "live", "after"]);
    expect(widest(tail.stdout())).toBeLessThanOrEqual(100);
  });

  it("gives everything there is as NDJSON, once", async () => {
    const { exitCode, stdout } = await cli([
      "events",
      "tail",
      "--from",
      "start",
      "--until-caught-up",
      "--json",
    ]);
    expect(exitCode).toBe(0);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const positions = events.map(({ position }) => position);
    expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
    const { events: statistics } = JSON.parse((await cli(["status", "--json"])).stdout);
    expect(events).toHaveLength(statistics.stored);
  });

  it("does not let the data of an event touch the terminal", async () => {
    await store(note("escape", "\u001b[31mred\u009b2J\u202e"));
    for (const more of [[], ["--json"]]) {
      const args = [
        "events",
        "tail",
        "--from",
        "start",
        "--until-caught-up",
        "--stream",
        "note/escape",
        ...more,
      ];
      const { stdout } = await cli(args);
      expect(stdout).toContain("red");
      expect(stdout).not.toMatch(/(?!\n)\p{Cc}/u);
    }
  });
});

describe("synap dead-letters", () => {
  it("lists and shows them: what failed, why, and how many wait", async () => {
    const id = await letterOf("listed");
    const list = await cli(["dead-letters", "list", "--handler", "notes/1"]);
    expect(list.stdout).toMatch(new RegExp(`^ *${id}  open .*note/listed .*range-error +2 `, "m"));
    expect(widest(list.stdout)).toBeLessThanOrEqual(100);
    const show = await cli(["dead-letters", "show", id]);
    expect(show.stdout).toMatch(/^reason +it is bad$/m);
    expect(show.stdout).toMatch(/^waiting +2 later events/m);
    expect(show.stdout).toContain('"content": "bad"');
    expect(JSON.parse((await cli(["dead-letters", "show", id, "--json"])).stdout)).toMatchObject({
      parked: 2,
    });
    expect((await cli(["dead-letters", "list", "--status", "skipped"])).stdout).toContain("No dead letters");
  });

  it("retries one: 1 when it fails again, 0 when it works; who did it is kept", async () => {
    const id = await letterOf("retried");
    const rename = (from: string, to: string) =>
      synap.database.asOwner((owner) => owner.execute(`ALTER TABLE synap_read.${from} RENAME TO ${to}`));
    await rename("notes_1", "notes_away");
    const failed = await cli(["dead-letters", "retry", id]);
    await rename("notes_away", "notes_1");
    expect(failed.exitCode).toBe(1);
    expect(failed.stdout).toContain(`Dead letter ${id} failed again (sqlstate-42p01)`);
    const worked = await cli(["dead-letters", "retry", id, "--as", "Ada Lovelace"]);
    expect([worked.exitCode, worked.stdout]).toEqual([
      0,
      `Dead letter ${id} is retried. 2 events that waited behind it followed.\n`,
    ]);
    expect((await cli(["dead-letters", "show", id])).stdout).toMatch(
      /^decided +retried at .* by Ada Lovelace$/m,
    );
    const twice = await cli(["dead-letters", "retry", id]);
    expect([twice.exitCode, twice.output]).toEqual([
      1,
      expect.stringContaining(`Dead letter ${id} is already retried`),
    ]);
  });

  it("skips several for one reason", async () => {
    const ids = [await letterOf("skipped-1"), await letterOf("skipped-2")];
    const { exitCode, stdout } = await cli(["dead-letters", "skip", ...ids, "--reason", "a test", "--json"]);
    expect(exitCode).toBe(0);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(ids.map((id) => ({ id: Number(id), status: "skipped", released: 2, parked: 0 })));
    expect((await cli(["dead-letters", "show", ids[0] ?? ""])).stdout).toMatch(
      /^decided +skipped at .*: a test$/m,
    );
  });
});
