import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventsArchivedError, openDatabase } from "@synap/database";
import { createEventStore } from "@synap/database/internal";
import { createTestDatabase } from "@synap/database/testing";
import { EXIT } from "@synap/service/exit-codes";
import { EMBEDDED_FOLDER } from "@synap/synap/internal";
import { seedCatalogue } from "@synap/types";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { runOnDirectory } from "../../testing/run-on-directory.ts";
import { archiveCommand } from "./archive-command.ts";

const folder = mkdtempSync(join(tmpdir(), "synap-archive-"));
const dataDirectory = join(folder, "data");
const place = join(folder, "archive");
const exitCode = process.exitCode;
const DAYS = ["2024-01-01", "2024-01-02", "2024-01-03"];

beforeAll(async () => {
  const { database, options } = await createTestDatabase("embedded", "migrated", { onDisk: true });
  const store = createEventStore({ database, catalogue: seedCatalogue });
  const events = DAYS.flatMap((day) => [8, 9].map((hour) => ({ timestamp: `${day}T0${hour}:00:00.000Z` })));
  await store.appendBatch(
    events.map((time) =>
      seedCatalogue.createSynapEvent({
        type: "note.creation.requested",
        data: { content: "Call Acme" },
        ...time,
      }),
    ),
    { timestamps: "backfill" },
  );
  await database.close();
  mkdirSync(dataDirectory);
  if ("dataDirectory" in options) renameSync(options.dataDirectory, join(dataDirectory, EMBEDDED_FOLDER));
}, 60_000);
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  process.exitCode = exitCode;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: readonly string[]) => runOn(dataDirectory, ...args);

const runOn = (data: string, ...args: readonly string[]) => runOnDirectory(archiveCommand(), data, args);

async function read(): Promise<number> {
  const database = await openDatabase({ dataDirectory: join(dataDirectory, EMBEDDED_FOLDER) });
  try {
    const store = createEventStore({ database, catalogue: seedCatalogue });
    return (await store.readAll({ after: 0, limit: 100 })).events.length;
  } finally {
    await database.close();
  }
}

const json = async (...args: readonly string[]): Promise<unknown> =>
  JSON.parse((await run(...args, "--json")).text);

it("writes chunks with a manifest, verifies and drops them, and restores them", async () => {
  const first = ["--before", "2024-01-03T00:00:00Z", "--to", place];
  expect((await run("list")).text).toBe("No chunk was archived.");
  expect((await run(...first, "--dry-run")).text).toMatch(
    /_hyper_\S+_chunk +2 .*\n.*_chunk +2 .*\nNothing was changed\.$/,
  );
  expect(readdirSync(folder)).not.toContain("archive");

  expect(await run(...first, "--keep")).toMatchObject({
    code: EXIT.done,
    text: expect.stringMatching(/2 events in .*, verified$/m),
  });
  expect(await read()).toBe(6);
  expect(await json("verify")).toMatchObject([{ events: 2 }, { events: 2 }]);

  expect((await run(...first, "--by", "user:ada")).text).toMatch(
    /verified and dropped\n.*verified and dropped$/,
  );
  await expect(read()).rejects.toThrow(EventsArchivedError);
  const [store = ""] = readdirSync(place);
  const files = readdirSync(join(place, store)).sort();
  expect(files).toEqual(
    ["2024-01-01", "2024-01-02"].flatMap((day) => [
      expect.stringMatching(new RegExp(`^${day}-hyper_\\w+_chunk-[0-9a-f-]{36}\\.manifest\\.json$`)),
      expect.stringMatching(new RegExp(`^${day}-hyper_\\w+_chunk-[0-9a-f-]{36}\\.ndjson\\.zst$`)),
    ]),
  );
  const manifest: unknown = JSON.parse(readFileSync(join(place, store, files[0] ?? ""), "utf8"));
  expect(manifest).toMatchObject({
    manifest: "synap-archive/1",
    events: 2,
    format: "ndjson.zst",
    columns: expect.arrayContaining([{ name: "data", type: "jsonb" }]),
    file: { name: `${store}/${files[1]}`, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
  });
  expect((await run(...first)).text).toBe(
    "No chunk that ends before 2024-01-03T00:00:00.000Z can be archived.",
  );

  const listed = (await json("list")) as readonly { chunk: string; state: string }[];
  expect(listed.map(({ state }) => state)).toEqual(["dropped", "dropped"]);
  expect((await run("verify")).text).toMatch(/: 2 events, as archived\n.*: 2 events, as archived$/);
  const names = listed.map(({ chunk }) => chunk);
  expect((await run("restore", ...names)).text).toMatch(/2 events restored\n.*2 events restored$/);
  expect(await read()).toBeGreaterThanOrEqual(6);
}, 120_000);

it("archives as Parquet too, and finds an archive that was changed or is gone", async () => {
  const place2 = join(folder, "columns");
  const last = ["--before", "2024-01-02T00:00:00Z", "--to", place2, "--format", "parquet"];
  expect((await run(...last)).code).toBe(EXIT.done);
  const [store = ""] = readdirSync(place2);
  const [name = ""] = readdirSync(join(place2, store)).filter((each) => each.endsWith(".parquet"));
  const file = join(place2, store, name);
  const content = readFileSync(file);
  writeFileSync(file, content.subarray(0, content.length - 10));
  const damaged = await run("verify");
  expect(damaged).toMatchObject({
    code: EXIT.failed,
    errors: expect.stringContaining("1 chunk is not as archived"),
  });
  const listed = (await json("list")) as readonly { chunk: string; state: string }[];
  const chunk = listed.find(({ state }) => state === "dropped")?.chunk ?? "";
  expect((await run("restore", chunk)).code).toBe(EXIT.failed);
  rmSync(file);
  expect((await run("verify")).text).toContain("There is no file");
  expect((await run("restore", chunk)).code).toBe(EXIT.failed);
  writeFileSync(file, content);
  expect((await run("restore", chunk)).text).toContain("2 events restored");
}, 120_000);

it("replaces no file: neither what a copy of the database has archived, nor a damaged one of its own", async () => {
  const shared = join(folder, "shared");
  const first = ["--before", "2024-01-02T00:00:00Z", "--to", shared];
  expect((await run(...first, "--keep")).code).toBe(EXIT.done);
  const copy = join(folder, "copy");
  cpSync(dataDirectory, copy, { recursive: true });
  const [store = ""] = readdirSync(shared);
  const [damaged = ""] = readdirSync(join(shared, store)).filter((name) => name.endsWith(".zst"));
  truncateSync(join(shared, store, damaged), 10);
  for (const data of [dataDirectory, copy]) {
    expect((await runOn(data, ...first)).text).toMatch(/verified and dropped$/);
    expect((await runOn(data, "verify")).text).toMatch(/as archived$/);
  }
  expect(readdirSync(join(shared, store))).toHaveLength(6);
  expect((await run("verify")).code).toBe(EXIT.done);
}, 120_000);

it.each([
  [["--to", "x"], "--before"],
  [["--before", "2024-01-01T00:00:00Z", "--to", "ftp://x/y"], "no scheme of an archive"],
  [["--before", "yesterday", "--to", "x"], "moment"],
])("refuses %j", async (args, reason) => {
  expect(await run(...args)).toMatchObject({ code: EXIT.usage, errors: expect.stringContaining(reason) });
});
