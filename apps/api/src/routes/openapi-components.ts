import { eventInputSchema, MAX_EVENT_BYTES, synapEventSchema } from "@synap/types";
import { z } from "zod";
import type { ApiApp } from "../api-context.ts";
import { PROBLEM_CODES } from "../problems/problem-codes.ts";
import { ADMIN_COMPONENTS } from "./admin/openapi-components.ts";
import { AGGREGATE_COMPONENTS } from "./aggregates/openapi-components.ts";
import { handlerRetry } from "./handler-retry.ts";
import { READ_MODEL_COMPONENTS } from "./read-models/openapi-components.ts";
import { streamComponents } from "./streams/openapi-components.ts";

const issue = z.object({
  path: z.string().describe("Where in the event, as in `data.tags[0]`. Empty for the whole."),
  code: z.string().describe("What kind of fault, for programs."),
  reason: z.string().describe("Why, for people."),
});
const position = z.number().int().describe("The event's place among all events. Grows, has gaps.");

const storedEvent = synapEventSchema.extend({
  position,
  streamVersion: z.number().int().describe("The event's place in its stream: 1, 2, 3 ..."),
  recordedAt: z.iso.datetime().describe("When the store took it."),
});
const accepted = z.object({ status: z.literal("accepted"), id: z.uuid() });
const duplicate = z.object({
  status: z.literal("duplicate"),
  id: z.uuid().describe("The id of the first of the events that are the same."),
  position: position.optional(),
});
const rejected = issue.extend({ status: z.literal("rejected"), issues: z.array(issue) });
const unavailable = z.object({
  status: z.literal("unavailable"),
  id: z.uuid(),
  code: z.literal("event-type-not-ready").optional().describe("Missing when the broker did not confirm."),
  reason: z.string().optional(),
});
const index = z.number().int().describe("The place of the event in the request, from 0.");
const batchResult = z.union([
  accepted.extend({ index }),
  duplicate.extend({ index }),
  rejected.extend({ index }),
  unavailable.extend({ index }),
]);

const problem = z.looseObject({
  type: z.string().describe("`/problems/` and the code."),
  title: z.string(),
  status: z.number().int(),
  code: z.enum(Object.keys(PROBLEM_CODES)),
  detail: z.string(),
  instance: z.string().describe("The id of the request, also in the header X-Request-Id and in the log."),
  errors: z.array(issue).optional(),
  results: z.array(batchResult).optional().describe("Of a batch: what became of each event."),
});

const names = z.array(z.string());
const runningProcess = z.object({
  instance: z.string(),
  role: z.enum(["api", "worker"]),
  release: z.string(),
  difference: z
    .object({ missingThere: names, missingHere: names, different: names })
    .optional()
    .describe("How its event types differ from those of the process that answers."),
});

const statusDocument = z.looseObject({
  release: z.string(),
  engine: z.string().describe("`embedded` or `server`."),
  timescaledb: z.object({ version: z.string(), edition: z.string() }),
  features: z.record(z.string(), z.enum(["active", "inactive"])),
  events: z.looseObject({
    stored: z.number().int(),
    lastPosition: z.number().int(),
    watermark: z.number().int(),
  }),
  handlers: z.array(
    z.looseObject({
      name: z.string(),
      checkpoint: z.number().int(),
      lag: z.number().int(),
      retrying: handlerRetry.optional(),
    }),
  ),
  publisher: z.looseObject({ queuedEvents: z.number().int(), queuedBytes: z.number().int() }),
  pages: z
    .object({ reservedBytes: z.number().int(), maxBytes: z.number().int(), waiting: z.number().int() })
    .describe("Room for the pages that are read and sent, and how many requests wait for some."),
  deadLetters: z.number().int(),
  notStored: z
    .object({ open: z.number().int(), skipped: z.number().int() })
    .describe("Dead letters that hold accepted events: undecided, and left out for good by somebody."),
  processes: z.array(runningProcess).describe("The other processes that run."),
  exposures: z
    .array(
      z.object({
        kind: z.enum(["routines", "connect", "create", "tables"]),
        count: z.number().int(),
        examples: z.array(z.string()),
      }),
    )
    .optional()
    .describe("What lets other logins of the database server harm the log."),
  sharedResources: z
    .array(
      z.looseObject({
        resource: z.enum(["notifications", "locks"]),
        used: z.number().describe("From 0 to 1."),
        sessions: z.array(z.looseObject({ pid: z.number().int(), login: z.string(), database: z.string() })),
      }),
    )
    .optional()
    .describe("What is nearly used up of what all sessions of the database server share."),
});

const COMPONENTS: Record<string, z.ZodType> = {
  EventInput: eventInputSchema.describe(
    `At most ${MAX_EVENT_BYTES} bytes as JSON in UTF-8 without spaces, numbers written out in full; else 413 \`event-too-large\`.`,
  ),
  EventBatch: z.union([z.array(eventInputSchema), z.strictObject({ events: z.array(eventInputSchema) })]),
  StoredEvent: storedEvent,
  EventPage: z.object({
    events: z.array(storedEvent),
    nextCursor: z.string().optional(),
    previousCursor: z.string().optional(),
  }),
  AcceptedEvent: accepted,
  DuplicateEvent: duplicate,
  BatchResults: z.object({ results: z.array(batchResult) }),
  Status: statusDocument,
  Health: z.object({ status: z.literal("ok") }),
  Readiness: z.object({
    status: z.literal("ok"),
    checks: z.record(z.string(), z.string()),
    warnings: z.array(z.object({ code: z.string(), detail: z.string() })),
  }),
  Problem: problem,
  ...streamComponents(storedEvent),
  ...ADMIN_COMPONENTS,
  ...AGGREGATE_COMPONENTS,
  ...READ_MODEL_COMPONENTS,
};

const SECURITY_SCHEMES = {
  adminToken: { type: "http", scheme: "bearer", description: "The token in SYNAP_ADMIN_TOKEN." },
} as const;

/** Puts the forms of bodies and answers into the document, as Zod itself writes them in JSON Schema 2020-12. */
export function registerComponents(app: ApiApp): void {
  for (const [name, schema] of Object.entries(COMPONENTS)) {
    const { $schema: _, ...described } = z.toJSONSchema(schema, { io: "input" });
    // Through JSON, which is what it is in the document.
    app.openAPIRegistry.registerComponent("schemas", name, JSON.parse(JSON.stringify(described)));
  }
  for (const [name, scheme] of Object.entries(SECURITY_SCHEMES)) {
    app.openAPIRegistry.registerComponent("securitySchemes", name, scheme);
  }
}
