import { randomUUID } from "node:crypto";
import fs, { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { loadFile } from "./load-file.ts";

/** Notes calls that reach the disk, and makes them. */
function noteDiskCalls(calls: string[]): void {
  const { openSync, writeSync, fsyncSync, renameSync } = fs;
  const names = new Map<number, string>();
  vi.spyOn(fs, "openSync").mockImplementation((path, flags, mode) => {
    const file = openSync(path, flags, mode);
    names.set(file, basename(String(path)));
    return file;
  });
  vi.spyOn(fs, "writeSync").mockImplementation((file: number, ...rest: unknown[]): number => {
    calls.push(`write ${names.get(file)}`);
    return Reflect.apply(writeSync, fs, [file, ...rest]);
  });
  vi.spyOn(fs, "fsyncSync").mockImplementation((file) => {
    calls.push(`fsync ${names.get(file)}`);
    fsyncSync(file);
  });
  vi.spyOn(fs, "renameSync").mockImplementation((from, to) => {
    calls.push(`rename ${basename(String(from))} ${basename(String(to))}`);
    renameSync(from, to);
  });
  syncBuiltinESMExports();
  onTestFinished(() => {
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  });
}

// A power cut can't be made in a test. What survives one is decided by the order of these calls.
it("syncs the state of a load before the first event is sent, and the report before the state that counts it", async () => {
  const calls: string[] = [];
  noteDiskCalls(calls);
  const directory = mkdtempSync(join(tmpdir(), "synap-load-"));
  const server = createServer((request, response) => {
    request.resume();
    if (request.method === "POST") calls.push("events sent");
    response.end(JSON.stringify({ results: [{ index: 0, status: "accepted", id: randomUUID() }] }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const address = server.address();
  const file = join(directory, "events.ndjson");
  writeFileSync(file, '{"type":"t.done"}\nno json\n');

  await loadFile({
    file,
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
    backfill: false,
    batch: 10,
    inFlight: 1,
    patienceMs: 1_000,
    restart: false,
    asNew: false,
    signal: new AbortController().signal,
  });

  const state = "state.json";
  const folder = "events.ndjson.synap-load";
  const report = "events.ndjson.rejected.ndjson";
  const replaced = [
    `write ${state}.draft`,
    `fsync ${state}.draft`,
    `rename ${state}.draft ${state}`,
    `fsync ${folder}`,
  ];
  const released = calls.pop();
  expect(released).toMatch(/^rename lock\./);
  expect(calls).toEqual([
    `fsync ${basename(directory)}`,
    ...replaced,
    "events sent",
    `write ${report}`,
    `fsync ${report}`,
    ...replaced,
  ]);
  expect(readdirSync(directory).sort()).toEqual(["events.ndjson", report, folder]);
});
