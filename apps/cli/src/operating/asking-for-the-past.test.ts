import { startTestApi, type TestApi } from "@synap/api/testing/start-test-api.ts";
import { createEventStore } from "@synap/database/internal";
import { EXIT } from "@synap/service/exit-codes";
import { completeEvent, correctionOf, type EventInput, type StoredEvent, seedCatalogue } from "@synap/types";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { runInProcess } from "../../testing/run-in-process.ts";
import { runCli } from "./run-cli.ts";

const LATER = "2999-01-01T00:00:00Z";

describe("a command that asks for the past", () => {
  let api: TestApi;
  let first: StoredEvent;
  let correction: StoredEvent;
  const exitCode = process.exitCode;

  beforeAll(async () => {
    api = await startTestApi();
    const store = createEventStore({ database: api.database, catalogue: seedCatalogue });
    const append = async (event: EventInput) => {
      const complete = completeEvent(event);
      await store.append(complete);
      const stored = await store.getById(complete.id);
      if (stored === undefined) throw new Error("It was not stored.");
      return stored;
    };
    const note = { type: "note.creation.completed", aggregateId: "n1", userId: "ada" } as const;
    first = await append({ ...note, data: { content: "milk" } });
    await append({ ...note, aggregateId: "n2", data: { content: "other" } });
    // Times are in milliseconds, and the correction needs a later one.
    while (Date.now() <= Date.parse(first.recordedAt)) await store.getById(first.id);
    correction = await append(correctionOf(first, { data: { content: "bread" } }));
  });
  afterEach(() => {
    vi.restoreAllMocks();
    process.exitCode = exitCode;
  });
  afterAll(() => api.stop());

  /** Runs a command against the API, and returns what it printed and its exit code. */
  async function run(...args: readonly string[]) {
    const line = ["--url", api.url, "--data", "/nowhere", ...args];
    const { code, all: lines } = await runInProcess(() => runCli(line));
    return { code, lines };
  }
  /** The contents of the events that `synap events find` shows, in its order. */
  async function find(...args: readonly string[]) {
    const { code, lines } = await run("events", "find", "--json", ...args);
    expect(code).toBe(EXIT.done);
    return lines.map((line): unknown => JSON.parse(line).data.content);
  }

  it("finds events, the newest first, as many as asked for", async () => {
    expect(await find()).toEqual(["bread", "other", "milk"]);
    expect(await find("--limit", "2")).toEqual(["bread", "other"]);
    expect(await find("--stream", "note/n1")).toEqual(["bread", "milk"]);
    expect(await find("--type", "note.creation.requested", "--type", "note.creation.completed")).toHaveLength(
      3,
    );
    expect(await find("--type", "note.creation.requested")).toEqual([]);
  });

  it("finds events as they were known, about a moment, with corrections applied", async () => {
    const applied = ["--stream", "note/n1", "--corrections", "applied"];
    expect(await find(...applied)).toEqual(["bread"]);
    expect(await find(...applied, "--known-at", first.recordedAt)).toEqual(["milk"]);
    expect(await find("--known-at", first.recordedAt, "--stream", "note/n1")).toEqual(["milk"]);
    expect(await find(...applied, "--valid-at", "2020-01-01T00:00:00Z")).toEqual([]);
    expect(await find(...applied, "--valid-at", LATER)).toEqual(["bread"]);
  });

  it("shows what amends an event below it, and in JSON beside it", async () => {
    const marked = ["events", "find", "--stream", "note/n1", "--corrections", "marked"];
    const { lines } = await run(...marked);
    expect(lines).toEqual([
      expect.stringContaining("POSITION"),
      expect.stringContaining("bread"),
      expect.stringContaining("milk"),
      expect.stringMatching(new RegExp(`^ +correction ${correction.id}$`)),
    ]);
    const events = (await run(...marked, "--json")).lines.map((line) => JSON.parse(line));
    expect(events.map(({ amendedBy }) => amendedBy)).toEqual([
      undefined,
      { kind: "correction", eventId: correction.id, recordedAt: correction.recordedAt },
    ]);
  });

  it("is refused for a past that is still to come", async () => {
    for (const [parameter, ...args] of [
      ["knownAt", "events", "find", "--known-at", LATER],
      ["knownAt", "aggregates", "show", "note", "n1", "--known-at", LATER],
      ["at", "aggregates", "show", "note", "n1", "--at", LATER],
      ["asOf", "read-models", "show", "notes", "--as-of", LATER],
      ["knownAt", "read-models", "show", "notes", "--known-at", LATER],
    ] as const) {
      const { code, lines } = await run(...args);
      expect(code, args.join(" ")).toBe(EXIT.failed);
      expect(lines.at(-1)).toContain(`"${parameter}" must not be in the future.`);
    }
    expect(await run("aggregates", "show", "note", "n1", "--valid-at", LATER)).toMatchObject({
      code: EXIT.done,
    });
    expect((await run("events", "find", "--known-at", "monday")).code).toBe(EXIT.usage);
  });

  it("asks a read model how it was, or what was known of it, and not both", async () => {
    const moments = ["--known-at", first.recordedAt, "--valid-at", LATER];
    const { code, lines } = await run("read-models", "show", "notes", ...moments);
    expect(code, lines.join("\n")).toBe(EXIT.failed);
    expect(lines.at(-1)).toContain("writes its rows");
    const both = await run("read-models", "show", "notes", "--as-of", first.recordedAt, ...moments);
    expect(both.code).toBe(EXIT.failed);
    expect(both.lines.at(-1)).toContain('Give "asOf", or "knownAt" and "validAt".');
  });
});
