import { z } from "zod";
import { emptyBody, type RequestSchemas } from "../parameter-forms.ts";

const whole = z.number().int();

/** A sink with its state and progress. */
export const sink = z.object({
  name: z.string(),
  description: z.string(),
  destination: z.string().describe("The kind of destination, such as PostgreSQL."),
  guarantee: z.enum(["effectively once", "idempotent", "at least once"]),
  ordered: z.boolean().describe("Events of one stream arrive in its order."),
  transactional: z.boolean().describe("A batch has its effects completely or not at all."),
  idempotent: z.boolean().describe("An event that arrives again changes nothing."),
  state: z
    .enum(["running", "waiting", "paused", "stopped"])
    .describe("waiting: its last pass failed and is tried again; stopped: no process runs it."),
  checkpoint: whole.describe("Position up to which the destination has confirmed the events."),
  lagEvents: whole.describe("Number of stored events after the checkpoint, of any type."),
  lagSeconds: z.number().describe("Age of the first of them."),
  openDeadLetters: whole,
  parkedEvents: whole.describe("Number of events that wait behind failed ones."),
  failure: z.string().optional().describe("The error of the last pass."),
  changedBy: z.string().optional().describe("Who has paused or resumed it last."),
});

/** All sinks of the application. */
export const sinks = z.object({ sinks: z.array(sink) });

/** The path of one sink. */
export const sinkPath = z.object({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,59}$/, "must be the name of a sink: lower case, digits and dashes")
    .describe("The sink's name."),
});

/** Request schemas of the operations on sinks, by operationId. */
export const SINK_REQUESTS = {
  listSinks: {},
  getSink: { params: sinkPath },
  pauseSink: { params: sinkPath, body: emptyBody },
  resumeSink: { params: sinkPath, body: emptyBody },
} as const satisfies Record<string, RequestSchemas>;

/** The resources of sinks, by their names in the OpenAPI document. */
export const SINK_RESOURCES = { Sinks: sinks, Sink: sink } as const satisfies Record<string, z.ZodType>;
