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

  it("begins again until the database answers, and reports each attempt that failed", async () => {
    const { begin } = answeringFrom(4);
    const waited: unknown[] = [];
    expect(await waitForDatabase(begin, { pause: 1, onWaiting: (error) => waited.push(error) })).toBe("open");
    expect(waited).toEqual(Array(3).fill(expect.any(DatabaseUnavailableError)));
  });

  it("fails with the last error when its patience has run out, also after the wall clock was set back", async () => {
    const { begin, seen } = answeringFrom(Number.POSITIVE_INFINITY);
    vi.useFakeTimers({ toFake: ["Date"] });
    const onWaiting = () => vi.setSystemTime(Date.now() - 3_600_000);
    await expect(waitForDatabase(begin, { patience: 20, pause: 5, onWaiting })).rejects.toThrow("away");
    expect(seen.attempts).toBeGreaterThan(1);
  });

  it("does not give up early when the wall clock is set forward", async () => {
    const { begin } = answeringFrom(3);
    vi.useFakeTimers({ toFake: ["Date"] });
    const onWaiting = () => vi.setSystemTime(Date.now() + 3_600_000);
    expect(await waitForDatabase(begin, { pause: 1, onWaiting })).toBe("open");
  });

  it("throws at once what waiting can't help", async () => {
    const { begin, seen } = answeringFrom(2, new Error("the schema is newer"));
    await expect(waitForDatabase(begin)).rejects.toThrow("the schema is newer");
    expect(seen.attempts).toBe(1);
  });

  it("stops when it is aborted, in the middle of a pause too", async () => {
    const { begin } = answeringFrom(Number.POSITIVE_INFINITY);
    const abort = new AbortController();
    const waiting = waitForDatabase(begin, {
      pause: 3_600_000,
      signal: abort.signal,
      onWaiting: () => setImmediate(() => abort.abort()),
    });
    await expect(waiting).rejects.toThrow("aborted");
  });

  it("goes on when what it reports to throws", async () => {
    const { begin } = answeringFrom(2);
    const onWaiting = () => {
      throw new Error("of the observer");
    };
    expect(await waitForDatabase(begin, { pause: 1, onWaiting })).toBe("open");
  });
});
