import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * The tests of the fast suite that pause, and what for. None of them fails because a machine is slow: a pause that is too
 * long does no harm in them.
 */
const reasons: Readonly<Record<string, string>> = {
  "apps/api/src/http/http-server.test.ts": "a client that sends the rest of its request later",
  "apps/api/src/broker/publisher.test.ts": "a broker on a clock that the test moves",
  "apps/api/test/aggregates.test.ts": "a moment between two events",
  "apps/api/test/body-values.test.ts": "lets the timer run that measures the event loop",
  "apps/api/test/main.test.ts": "looks again until a process has said something",
  "apps/api/test/malformed-requests.test.ts": "a client that breaks off in the middle",
  "apps/api/test/read-positions.test.ts": "sees that nothing happens",
  "apps/worker/src/server.test.ts": "a handler that is still at work",
  "packages/client/src/transport.test.ts": "a response that is broken off, or comes late",
  "packages/database/src/connection/database.test.ts": "sees that nothing happens",
  "packages/database/src/embedded/pglite-in-thread.test.ts": "a transaction that stays open",
  "packages/database/src/sql-api/post-event.test.ts": "the clock shows another millisecond",
  "packages/database/src/subscriptions/append-signal.test.ts": "sees that nothing happens",
  "packages/database/src/subscriptions/subscribe-to-all.test.ts": "sees that nothing happens",
  "packages/handlers/src/engine/handler-runner.test.ts": "a handler at work; sees that nothing happens",
  "packages/inngest-local/src/queue/queue-clock.test.ts": "a machine that sleeps, on clocks of the test",
  "packages/inngest-local/test/beyond-the-contract.test.ts": "a slow function; sees that nothing happens",
  "scripts/test/separate-processes.test.ts": "looks again until the events are stored",
};

const pause = /(?<![\w.])(?:setTimeout|sleep)\([^)]/;
/** `expect(performance.now() - from).toBeLessThan(...)` and its relatives. */
const stopwatch = /expect\([^;]*\b(?:performance|Date)\.now\(\) - [^;]*?\)\s*\.toBeLess/;

const tests = ["apps", "packages", "scripts", "bench"]
  .flatMap((folder) => readdirSync(join(root, folder), { withFileTypes: true, recursive: true }))
  .filter((entry) => entry.isFile() && /^[^.]+\.test\.ts$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name))
  .filter((file) => !/[\\/](?:node_modules|dist)[\\/]/.test(file))
  .map((file) => ({
    path: relative(root, file).split(sep).join("/"),
    code: readFileSync(file, "utf8").replaceAll(/"[^"\n]*"|\/\*[\s\S]*?\*\//g, ""),
  }));

describe("the tests of the fast suite", () => {
  it("wait for what happens, and pause only for a reason", () => {
    const pausing = tests.filter(({ code }) => pause.test(code)).map(({ path }) => path);
    const strays = pausing.filter((path) => !Object.hasOwn(reasons, path));
    expect(strays, "wait for what happens or move the clock, or list the file with its reason").toEqual([]);
    expect(Object.keys(reasons).filter((path) => !pausing.includes(path))).toEqual([]);
  });

  it("never fail because something took long", () => {
    const strays = tests.filter(({ code }) => stopwatch.test(code)).map(({ path }) => path);
    expect(strays, "compare with another duration of the same run, or move the clock").toEqual([]);
  });
});
