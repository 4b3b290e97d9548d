import { eventInputSchema } from "@synap/types";
import { storedEvent } from "@synap/types/http";
import { KEPT_TEXT } from "@synap/types/internal";
import { z } from "zod";
import { FIELD_OF } from "./cloud-event.ts";

type Shape = Readonly<Record<string, z.ZodType>>;

const stored = storedEvent.shape;
const digits = z.string().regex(/^\d+$/);

const text = z.string().meta({ pattern: KEPT_TEXT });

// Whole numbers of 32 bits, as the specification has them.
const extension = z
  .union([text, z.int32(), z.boolean(), z.null()])
  .describe("Another attribute. Null means that it is not set.");

/** The attributes that every CloudEvent has here. */
const REQUIRED = {
  specversion: z.literal("1.0"),
  id: text
    .min(1)
    .meta({ pattern: KEPT_TEXT })
    .describe("With `source`, it names the event. A UUID becomes the event's own id."),
  source: stored.source.describe("A URI reference."),
  type: stored.type,
  data: stored.data,
} satisfies Shape;

/** Attributes that a CloudEvent may have, beside those that are fields of an event under another name. */
const OPTIONAL = {
  datacontenttype: z
    .string()
    .regex(/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/)
    .optional(),
  dataschema: z.string().meta({ format: "uri" }).optional(),
  traceparent: text.optional().describe("W3C trace context."),
  tracestate: text.optional().describe("W3C trace context."),
  synapid: stored.id.optional().describe("The event's own id, if `id` is another one."),
  synapsource: stored.source.optional().describe("The event's source, if it is no URI reference."),
  synapmetadata: text.optional().describe("The event's metadata: the text of a JSON object."),
} satisfies Shape;

const time = z
  .string()
  .meta({ format: "date-time" })
  .describe("RFC 3339. One that is finer than a millisecond is kept beside the event's own.");

/** The attributes that are fields of an event, with the schemas of these fields. */
function fieldAttributes(event: Shape): Record<string, z.ZodType> {
  return Object.fromEntries(
    Object.entries(FIELD_OF).map(([name, field]) => [name, event[field] ?? z.never()]),
  );
}

const cloudEventInput = z
  .object({
    ...fieldAttributes(eventInputSchema.shape),
    ...OPTIONAL,
    ...REQUIRED,
    time: time.optional(),
  })
  .catchall(extension)
  .describe(
    "A CloudEvent 1.0. In binary mode its attributes are headers, and the body is `data`. `position`, `streamversion` and " +
      "`recordedtime` are ignored.",
  );

const cloudEvent = z
  .object({
    ...fieldAttributes(stored),
    ...OPTIONAL,
    ...REQUIRED,
    time,
    datacontenttype: OPTIONAL.datacontenttype.nonoptional(),
    position: digits.describe("Position in the log: text, because it may have more than 32 bits."),
    streamversion: digits.describe("Version in the stream."),
    recordedtime: stored.recordedAt,
  })
  .catchall(extension)
  .describe("A stored event as a CloudEvent 1.0.");

/** CloudEvents as schemas, by their names in the OpenAPI document. */
export const CLOUD_EVENT_RESOURCES = {
  CloudEvent: cloudEvent,
  CloudEventInput: cloudEventInput,
} as const satisfies Readonly<Record<string, z.ZodType>>;
