import { z } from "zod";
import { eventInputSchema } from "../event-input.ts";
import { appendedEvent } from "./streams.ts";

const version = z.number().int().describe("Stream version: the number of its events.");
const aggregate = {
  aggregateType: z.string(),
  aggregateId: z.string(),
  version,
  state: z.looseObject({}).describe("State of the aggregate, in the schema of its type."),
};

/** An aggregate at a version. */
export const aggregateState = z.object({
  ...aggregate,
  at: z.iso.datetime().optional().describe("The requested moment."),
});

/** The outcome of a command. */
export const commandResult = z.object({
  ...aggregate,
  events: z.array(appendedEvent).describe("Events stored for the command; empty when nothing had to change."),
  repeated: z
    .boolean()
    .describe("Whether the command had been executed before under the same Idempotency-Key."),
});

/** The envelope fields that a command may set in addition to its data. */
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
