import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * The sources that may ask for the time of day, and what for. Durations, deadlines and pauses are measured with
 * `performance.now()`, because a wall clock can be set while they last.
 */
const reasons: Readonly<Record<string, string>> = {
  "packages/types/src/event/check-moment.ts": "a moment of the past is no later than now",
  "packages/types/src/event/event-input.ts": "the timestamp and the id of a new event",
  "packages/database/src/queries/query-events.ts": "a query without bounds begins with the newest days",
  "packages/database/src/postgres-event-store.ts": "a timestamp is compared with the time of its append",
  "packages/database/src/memory/memory-event-store.ts": "a timestamp is compared with the time of its append",
  "packages/database/src/embedded/data-directory-lock.ts":
    "when the holder started, for people; a unique name",
  "packages/database/src/identity/sessions.ts": "sessions end at a moment",
  "packages/database/src/identity/sign-in-links.ts": "links expire at a moment",
  "packages/database/src/retention/apply-retention.ts": "events expire by their date",
  "packages/synap/src/sinks/webhook-signature.ts": "signatures carry the time",
  "packages/synap/src/sinks/webhook-delivery.ts":
    "Retry-After may name a moment; when an attempt was, for people",
  "packages/domain/src/open-loops/open-loops.ts": "loops are due by the calendar",
  "packages/inngest-local/src/queue/queue-clock.ts":
    "the queue's stored times; it follows the wall clock when that is set",
  "packages/inngest-local/src/http/app-client.ts": "signatures carry the time",
  "packages/inngest-local/src/lifecycle/lifecycle-events.ts": "the timestamp of an event",
  "apps/cli/src/loading/load-start.ts": "when a load began, for people",
  "packages/client/src/transport.ts": "Retry-After may name a moment",
  "apps/worker/src/register-functions.ts": "signatures carry the time",
  "apps/api/src/broker/event-api.ts": "the seed of event ids begins with the time",
  "apps/api/src/broker/envelopes.ts": "the timestamp of an Inngest event",
  "apps/api/src/acceptance/read-events.ts": "a timestamp is compared with the time of its arrival",
  "apps/api/src/identity/credential-watch.ts": "tokens expire at a moment",
  "apps/api/src/identity/token-principals.ts": "tokens expire at a moment",
  "apps/api/src/identity/key-principals.ts": "keys expire at a moment",
  "apps/api/src/identity/session-principals.ts": "sessions end at a moment",
  "apps/api/src/identity/stored-principals.ts": "the last use is recorded as a moment",
  "apps/api/src/signing-in/identity-provider.ts": "signing in has to end by a moment",
  "apps/api/src/routes/session/sign-in.ts": "the cookie ends with its session",
  "apps/api/src/routes/events/event-stats.ts": "the statistics of the days up to today",
  "apps/cli/src/key-expiry.ts": "keys expire at a moment",
  "apps/cli/src/signing-in/sessions-command.ts": "sessions end at a moment",
  "apps/cli/src/keys.ts": "keys expire at a moment",
  "apps/cli/src/terminal/age.ts": "the age of a moment that another process recorded",
  "scripts/src/chaos/shifted-clock.mjs": "is a wall clock, set wrong",
  "scripts/src/chaos/traffic.ts": "the timestamp of an event",
  "scripts/src/performance/measure-event-store.ts": "the timestamps of events",
  "scripts/src/performance/bare-insert.ts": "the timestamps of rows",
  "apps/cli/src/maintaining/compress.ts": "chunks are compressed by their age",
  "apps/cli/src/loading/load-file.ts": "when a load began and last went on, for people",
  "bench/src/reading/history.ts": "the timestamps of events",
  "bench/src/load/batch-maker.ts": "the timestamps of events",
  "bench/src/running/run-bench.ts": "when the run began, for people",
  "bench/src/running/bench-command.ts": "names the report's folder",
  "bench/src/growth/filled-log.ts": "the timestamps of events",
  "bench/src/growth/reader-curves.ts": "the delay since a moment that the database recorded",
  "bench/src/events/make-events.ts": "the timestamps of events",
  "bench/src/visibility/visibility.ts": "the timestamps of events",
  "bench/src/storage/storage.ts": "chunks are compressed by their age",
  "bench/src/storage/fill-days.ts": "the timestamps of events",
};

const wallClock = /\bDate\.now\b|\bnew Date\(\s*\)|\bDate\(\s*\)/;

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs)$/.test(entry.name) && !/test\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

it("no source measures a duration by the wall clock", () => {
  const folders = ["packages", "apps"].flatMap((group) =>
    readdirSync(join(root, group), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(root, group, entry.name, "src")),
  );
  const strays = [...folders, join(root, "scripts/src"), join(root, "bench/src")]
    .flatMap(sources)
    .filter((file) => wallClock.test(readFileSync(file, "utf8")))
    .map((file) => relative(root, file).split(sep).join("/"))
    .filter((file) => !Object.hasOwn(reasons, file));
  expect(strays, "measure with performance.now(), or list the file with its reason").toEqual([]);
});
