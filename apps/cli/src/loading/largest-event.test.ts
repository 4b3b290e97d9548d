import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestApi, type TestApi } from "@synap/api/testing/start-test-api.ts";
import { MAX_EVENT_BYTES, type SynapEvent } from "@synap/types";
import { eventOfBytes, fillings } from "@synap/types/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadFile } from "./load-file.ts";

/** Ways to write an event into a line. */
const lines: Readonly<Record<string, (event: SynapEvent) => string>> = {
  "as it is": (event) => JSON.stringify(event),
  "without the id and the time, which the load fills in": ({ id: _id, timestamp: _timestamp, ...event }) =>
    JSON.stringify(event),
  "with spaces, which do not count": (event) => JSON.stringify(event).replace("{", `{${" ".repeat(100_000)}`),
};

describe("the largest event of a load", () => {
  let directory: string;
  let api: TestApi;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "synap-load-"));
    api = await startTestApi();
  });
  afterAll(async () => {
    await api.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  describe.each(Object.entries(lines))("in a line %s", (_, write) => {
    it.each(Object.entries(fillings))("is that of the API, also in a batch: %s", async (_, fill) => {
      const file = join(directory, "events.ndjson");
      const events = [0, 1, 0, -1].map((more) => eventOfBytes(MAX_EVENT_BYTES + more, fill));
      writeFileSync(file, events.map((event) => `${write(event)}\n`).join(""));
      const { counts, rejectedPath = "" } = await loadFile({
        file,
        url: api.url,
        backfill: false,
        batch: 500,
        inFlight: 2,
        patienceMs: 10_000,
        restart: false,
        asNew: true,
        signal: new AbortController().signal,
      });
      expect(counts).toEqual({ accepted: 3, duplicate: 0, rejected: 1 });
      expect(JSON.parse(readFileSync(rejectedPath, "utf8"))).toMatchObject({
        line: 2,
        code: "event-too-large",
        reason: expect.stringContaining(`at most ${MAX_EVENT_BYTES}`),
      });
    });
  });
});
