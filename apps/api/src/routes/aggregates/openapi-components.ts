import { z } from "zod";

const version = z.number().int().describe("The stream version: how many events it has.");
const aggregate = {
  aggregateType: z.string(),
  aggregateId: z.string(),
  version,
  state: z.looseObject({}).describe("What the aggregate is, in the form of its kind."),
};

/** The forms of the answers about aggregates, for the OpenAPI document. */
export const AGGREGATE_COMPONENTS: Readonly<Record<string, z.ZodType>> = {
  Aggregate: z.object({
    ...aggregate,
    at: z.iso.datetime().optional().describe("The moment that was asked for."),
  }),
  CommandResult: z.object({
    ...aggregate,
    events: z
      .array(
        z.object({
          id: z.uuid(),
          position: z.number().int(),
          streamVersion: z.number().int(),
          duplicate: z.boolean(),
        }),
      )
      .describe("What was stored for the command, none when nothing was to change."),
    repeated: z.boolean().describe("It had been carried out before, under the same Idempotency-Key."),
  }),
};
