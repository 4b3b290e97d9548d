import { describe, expect, it } from "vitest";
import { checkCheckpoint, epochName } from "./check-checkpoint.ts";
import { SinkEpochError, SinkPositionError } from "./sink-errors.ts";

const first = { number: 1, begunAt: "2026-01-01T00:00:00.000Z", firstPosition: 0 };
const second = { number: 2, begunAt: "2026-02-01T00:00:00.000Z", firstPosition: 9_216, lastBefore: 5_119 };
const check = (position: number, epoch: string, epochs = [first, second], watermark = 20_479) =>
  checkCheckpoint("reporting", { position, epoch }, epochs, watermark);

describe("the checkpoint of a destination", () => {
  it("is taken when the store has everything up to it, in the same epoch and in a later one", () => {
    expect(() => check(12_000, epochName(second))).not.toThrow();
    expect(() => check(5_119, epochName(first))).not.toThrow();
    expect(() => check(3_000, epochName(first), [first])).not.toThrow();
  });

  it("is refused when the store has lost events before it", () => {
    expect(() => check(5_120, epochName(first))).toThrow(
      expect.objectContaining({ code: "SINK_EPOCH", sink: "reporting", epoch: epochName(first) }),
    );
  });

  it("is refused when it is one of another store, also of an epoch of the same number", () => {
    const other = epochName({ ...first, begunAt: "2026-01-01T00:00:00.001Z" });
    expect(() => check(1_000, other)).toThrow(SinkEpochError);
    expect(() => check(1_000, epochName(second), [first])).toThrow(SinkEpochError);
  });

  it("is refused beyond the end of the log", () => {
    expect(() => check(20_480, epochName(second))).toThrow(SinkPositionError);
  });
});
