import { z } from "zod";
import { eventInputSchema } from "../event-input.ts";
import { appendedEvent } from "./streams.ts";

const version = z.number().int().describe("The stream version: how many events it has.");
const aggregate = {
  aggregateType: z.string(),
  aggregateId: z.string(),
  version,
  state: z.looseObject({}).describe("What the aggregate is, in the form of its kind."),
};

/** An aggregate at a version. */
export const aggregateState = z.object({
  ...aggregate,
  at: z.iso.datetime().optional().describe("The moment that was asked for."),
});

/** The outcome of a command. */
export const commandResult = z.object({
  ...aggregate,
  events: z
    .array(appendedEvent)
    .describe("What was stored for the command, none when nothing was to change."),
  repeated: z.boolean().describe("It had been carried out before, under the same Idempotency-Key."),
});

/** The fields of an event that a command may set beside its data. */
export const commandEnvelope = eventInputSchema.pick({
  userId: true,
  createdBy: true,
  source: true,
  correlationId: true,
  causationId: true,
  metadata: true,
});

/** The resources of aggregates, by their names in the OpenAPI document. */
export const AGGREGATE_RESOURCES = {
  Aggregate: aggregateState,
  CommandResult: commandResult,
} as const satisfies Record<string, z.ZodType>;
