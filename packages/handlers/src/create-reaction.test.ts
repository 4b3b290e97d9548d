import { noteCreationCompleted, type StoredEvent } from "@synap/types";
import { expect, it } from "vitest";
import { createReaction } from "./create-reaction.ts";

const cause: StoredEvent = {
  id: "01890a5d-ac96-774b-bcce-b302099a8057",
  version: "v1",
  type: "note.creation.requested",
  aggregateType: "note",
  aggregateId: "one",
  data: { content: "hi" },
  createdBy: "user:ada",
  source: "api",
  timestamp: "2026-01-01T00:00:00.000Z",
  position: 1,
  streamVersion: 1,
  recordedAt: "2026-01-01T00:00:01.000Z",
};
const reactionTo = (event: StoredEvent) =>
  createReaction(noteCreationCompleted, {
    handler: "completes",
    cause: event,
    aggregateId: "one",
    data: { content: "hi" },
  });

it("a reaction is a part of the trace of its cause, and takes nothing else of its metadata", () => {
  const trace = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "a=1" };
  expect(reactionTo({ ...cause, metadata: { ...trace, ip: "::1" } }).metadata).toEqual(trace);
  expect(reactionTo(cause)).not.toHaveProperty("metadata");
});
