import { expect, it } from "vitest";
import { segmentOf } from "./projection.ts";

it("gives a stream the segment that checkpoints in databases count on", () => {
  const segmentsOf = (...ids: string[]) =>
    ids.map((aggregateId) => segmentOf({ aggregateType: "task", aggregateId }, 64));
  expect(segmentsOf("a", "b", "call-acme", "ü/ x")).toEqual([36, 27, 54, 39]);
});
