import { z } from "zod";
import { eventInputSchema } from "../event/event-input.ts";
import {
  aggregatePath,
  idempotencyKey,
  moment,
  type RequestSchemas,
  wholeNumber,
} from "./parameter-forms.ts";
import { appendedEvent, preconditionHeaders } from "./streams.ts";

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
  fold: z
    .literal("latest-by-type")
    .optional()
    .describe(
      "Present for kinds without rules: `state` then has the newest data of each type of event, by its name.",
    ),
  complete: z
    .literal(false)
    .optional()
    .describe("Present with `fold` if only the newest 10,000 events were read."),
  at: z.iso.datetime().optional().describe("The requested moment."),
  knownAt: z.iso.datetime().optional().describe("The requested moment of knowledge."),
  validAt: z.iso.datetime().optional().describe("The requested moment of validity."),
});

/** The outcome of a command. */
export const commandResult = z.object({
  ...aggregate,
  events: z.array(appendedEvent).describe("Events stored for the command; empty when nothing had to change."),
  repeated: z
    .boolean()
    .describe("True if the command had already been executed under the same Idempotency-Key."),
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

/** The body of a command: its input, and the fields that its events are to carry. */
export function commandBody<Data extends z.ZodType>(data: Data) {
  return z.strictObject({ data, ...commandEnvelope.shape });
}

/** The version or moment of an aggregate's state. */
export const aggregateQuery = z.strictObject({
  version: wholeNumber(1, Number.MAX_SAFE_INTEGER).optional().describe("State at this version."),
  at: moment.optional().describe("State at this moment, by the timestamps of the events. Not in the future."),
  knownAt: moment
    .optional()
    .describe(
      "State as it was known at this moment: from what was recorded by then, with corrections applied. Not in the future. Default, with `validAt`: now.",
    ),
  validAt: moment
    .optional()
    .describe(
      "State that holds at this moment, also one to come, by the validity of the events. Default, with `knownAt`: the same moment.",
    ),
});

/** The path of a command, below that of its aggregate. */
export const commandPath = aggregatePath.pick({ id: true });

/** The headers of a command. */
export const commandHeaders = preconditionHeaders.extend({
  "idempotency-key": idempotencyKey.describe(
    "A command with a key is executed once; sent again, it gets the same response, also while the first is under way. With other " +
      "data it is refused. Text in quotes, or without.",
  ),
});

/**
 * Request schemas of the operations on aggregates. `executeCommand` is the form of all commands: each has its own operationId
 * and data in the schema of its decider.
 */
export const AGGREGATE_REQUESTS = {
  getAggregate: { params: aggregatePath, query: aggregateQuery },
  executeCommand: { params: commandPath, headers: commandHeaders, body: commandBody(z.unknown()) },
} as const satisfies Record<string, RequestSchemas>;

/** The resources of aggregates, by their names in the OpenAPI document. */
export const AGGREGATE_RESOURCES = {
  Aggregate: aggregateState,
  CommandResult: commandResult,
} as const satisfies Record<string, z.ZodType>;
