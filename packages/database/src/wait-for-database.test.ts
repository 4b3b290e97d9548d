import { afterEach, describe, expect, it, vi } from "vitest";
import { DatabaseUnavailableError } from "./connection/database-errors.ts";
import { waitForDatabase } from "./wait-for-database.ts";

/** A database that answers from the given attempt on. */
function answeringFrom(attempt: number, error: unknown = new DatabaseUnavailableError("away")) {
  const seen = { attempts: 0 };
  const begin = async (): Promise<string> => {
    seen.attempts += 1;
    if (seen.attempts < attempt) throw error;
    return "open";
  };
  return { begin, seen };
}

describe("waiting for the database", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("retries until the database answers, and reports each failed attempt", async () => {
    const { begin } = answeringFrom(4);
    const waited: unknown[] = [];
    expect(await waitForDatabase(begin, { pause: 1, onWaiting: (error) => waited.push(error) })).toBe("open");
    expect(waited).toEqual(Array(3).fill(expect.any(DatabaseUnavailableError)));
  });

  it("fails with the last error after its timeout, even if the wall clock was set back", async () => {
    const { begin, seen } = answeringFrom(Number.POSITIVE_INFINITY);
    vi.useFakeTimers({ toFake: ["Date"] });
    const onWaiting = () => vi.setSystemTime(Date.now() - 3_600_000);
    await expect(waitForDatabase(begin, { timeout: 20, pause: 5, onWaiting })).rejects.toThrow("away");
    expect(seen.attempts).toBeGreaterThan(1);
  });

  it("does not give up early when the wall clock is set forward", async () => {
    const { begin } = answeringFrom(3);
    vi.useFakeTimers({ toFake: ["Date"] });
    const onWaiting = () => vi.setSystemTime(Date.now() + 3_600_000);
    expect(await waitForDatabase(begin, { pause: 1, onWaiting })).toBe("open");
  });

  it("throws permanent errors at once", async () => {
    const { begin, seen } = answeringFrom(2, new Error("the schema is newer"));
    await expect(waitForDatabase(begin)).rejects.toThrow("the schema is newer");
    expect(seen.attempts).toBe(1);
  });

  it("stops when it is aborted, even during a pause", async () => {
    const { begin } = answeringFrom(Number.POSITIVE_INFINITY);
    const abort = new AbortController();
    const waiting = waitForDatabase(begin, {
      pause: 3_600_000,
      signal: abort.signal,
      onWaiting: () => setImmediate(() => abort.abort()),
    });
    await expect(waiting).rejects.toThrow("aborted");
  });

  it("continues when its observer throws", async () => {
    const { begin } = answeringFrom(2);
    const onWaiting = () => {
      throw new Error("of the observer");
    };
    expect(await waitForDatabase(begin, { pause: 1, onWaiting })).toBe("open");
  });
});
