import { TransientHandlerError } from "@synap/handlers";
import { describe, expect, it } from "vitest";
import {
  MAX_RETRIES,
  retryDelaySeconds,
  retryLater,
  StoreFailedError,
  StoreUnavailableError,
} from "./retry-schedule.ts";

describe("the retry schedule", () => {
  it("begins with one second, ends with ten minutes, and takes an hour and fifty minutes", () => {
    const delays = Array.from({ length: MAX_RETRIES }, (_, attempt) => retryDelaySeconds(attempt));
    expect(delays.slice(0, 12)).toEqual([1, 1, 2, 4, 8, 15, 30, 60, 120, 300, 600, 600]);
    expect(delays.reduce((sum, delay) => sum + delay)).toBe(541 + 10 * 600);
  });

  it("distinguishes an unavailable store from other failures by name", () => {
    expect(retryLater(new TransientHandlerError("busy"), 0)).toBeInstanceOf(StoreUnavailableError);
    expect(retryLater(new TypeError("no such thing"), 0)).toBeInstanceOf(StoreFailedError);
  });

  it("has the delay, the reason and the cause", () => {
    const cause = new TypeError("no such thing");
    const error = retryLater(cause, 4);
    expect(error).toMatchObject({ retryAfter: "8", message: "no such thing", cause });
  });
});
