import { z } from "zod";
import {
  createEventCatalogue,
  createSynapEvent,
  defineEventType,
  type EventCatalogue,
  type EventInput,
  type EventTypeDefinition,
  type EventTypeName,
  eventInputSchema,
  type PublishableEvent,
  parseSynapEvent,
  type StoredEvent,
  type StoredEventIn,
  type SynapEvent,
  seedCatalogue,
  type synapEventSchema,
  validateEventData,
} from "../index.ts";

/**
 * Code that the compiler must accept or refuse. Never run: `tsc` checks it, and an `@ts-expect-error` above a line that
 * compiles is itself an error.
 */

type Equal<Left, Right> =
  (<T>() => T extends Left ? 1 : 2) extends <T>() => T extends Right ? 1 : 2 ? true : false;
const isTrue = <_Claim extends true>(): void => undefined;

// The data of an event follows from its type.
createSynapEvent({ type: "note.creation.requested", data: { content: "Hello", tags: ["a"] } });
createSynapEvent({ type: "note.creation.requested", data: { content: "Hello", title: undefined } });
// @ts-expect-error a misspelt field
createSynapEvent({ type: "note.creation.requested", data: { contents: "Hello" } });
// @ts-expect-error a missing field
createSynapEvent({ type: "note.creation.requested", data: { title: "Hello" } });
// @ts-expect-error a field of the wrong type
createSynapEvent({ type: "invoice.created", data: { amount: "12", dueDate: "2026-01-01" } });
// @ts-expect-error the data of another type
createSynapEvent({ type: "invoice.created", data: { content: "Hello" } });
// @ts-expect-error an unknown type
createSynapEvent({ type: "note.creation.request", data: { content: "Hello" } });
// @ts-expect-error a misspelt field of the event itself
createSynapEvent({ type: "note.creation.requested", data: { content: "Hello" }, userID: "u" });

const note = createSynapEvent({ type: "note.creation.requested", data: { content: "Hello" } });
isTrue<Equal<typeof note.type, "note.creation.requested">>();
isTrue<Equal<typeof note.data.content, string>>();
// @ts-expect-error an event is never changed
note.timestamp = "2026-01-01T00:00:00.000Z";
const anyEvent: SynapEvent = note;

// A parsed event is a union discriminated by its type.
const parsed = parseSynapEvent(anyEvent);
if (parsed.type === "product.price_changed") {
  isTrue<Equal<typeof parsed.data.newPrice, number>>();
  // @ts-expect-error a field of another type's data
  parsed.data.content;
}
isTrue<Equal<ReturnType<typeof parseSynapEvent>["type"], EventTypeName<typeof seedCatalogue>>>();
const data = validateEventData("invoice.sent", {});
isTrue<Equal<typeof data.method, "email" | "post" | "portal">>();

// An application's types are added to the others.
const earthquakeRecorded = defineEventType({
  name: "earthquake.recorded",
  description: "A seismometer network located an earthquake.",
  schema: z.strictObject({ magnitude: z.number(), place: z.string() }),
  example: { magnitude: 4.6, place: "12 km N of Example" },
});
const catalogue = seedCatalogue.extend([earthquakeRecorded]);
isTrue<Equal<EventTypeName<typeof catalogue>, EventTypeName<typeof seedCatalogue> | "earthquake.recorded">>();
catalogue.createSynapEvent({ type: "earthquake.recorded", data: { magnitude: 1, place: "Here" } });
catalogue.createSynapEvent({ type: "note.creation.requested", data: { content: "Hello" } });
// @ts-expect-error a field of the wrong type in an application's own event
catalogue.createSynapEvent({ type: "earthquake.recorded", data: { magnitude: "1", place: "Here" } });
// @ts-expect-error the seed catalogue does not know it
createSynapEvent({ type: "earthquake.recorded", data: { magnitude: 1, place: "Here" } });
const small = createEventCatalogue([earthquakeRecorded]);
isTrue<Equal<EventTypeName<typeof small>, "earthquake.recorded">>();

// The catalogue's Zod union is discriminated by the type, and has the data of each.
const ofBoth = createEventCatalogue([
  earthquakeRecorded,
  defineEventType({
    name: "station.closed",
    description: "A seismometer was switched off.",
    schema: z.strictObject({ station: z.string() }),
    example: { station: "s1" },
  }),
]);
type BothTypes = NonNullable<typeof ofBoth.eventTypes>;
const checked = ofBoth.eventSchema.parse(anyEvent);
isTrue<Equal<typeof checked.type, "earthquake.recorded" | "station.closed">>();
switch (checked.type) {
  case "earthquake.recorded":
    checked.data.magnitude.toFixed(1);
    // @ts-expect-error a field of the other type's data
    checked.data.station;
    break;
  case "station.closed":
    checked.data.station.trim();
    break;
  default:
    checked satisfies never;
}

// Stored events have the types of the catalogue, or those that are named.
declare const storedEvents: readonly StoredEvent[];
const [one] = ofBoth.typeStored(storedEvents);
isTrue<Equal<typeof one, StoredEventIn<BothTypes> | undefined>>();
const [closed] = ofBoth.typeStored<"station.closed">(storedEvents);
closed?.data.station.trim();
// @ts-expect-error a misspelt field
closed?.data.stations;

// A published event has the data of its type, in a variable as well.
const published: PublishableEvent<BothTypes>[] = [{ type: "station.closed", data: { station: "s1" } }];
// @ts-expect-error a misspelt field
published.push({ type: "station.closed", data: { stations: "s1" } });
// @ts-expect-error the data of another type
published.push({ type: "station.closed", data: { magnitude: 1, place: "Here" } });

// Code that works with any event accepts any catalogue, including one whose types are known only at run time.
const anyCatalogues: EventCatalogue[] = [seedCatalogue, catalogue, small];
const loaded: readonly EventTypeDefinition[] = anyCatalogues.flatMap(({ types }) => types);
anyCatalogues.push(createEventCatalogue(loaded), seedCatalogue.extend(loaded));
createEventCatalogue(loaded).createSynapEvent({ type: "whatever.happened", data: { anything: 1 } });

// A schema that would change data is refused.
const about = { name: "thing.happened", description: "Something happened." } as const;
const example = { size: 1 };
defineEventType({ ...about, schema: z.strictObject({ size: z.number() }), example });
// @ts-expect-error a default would add a field
defineEventType({ ...about, schema: z.strictObject({ size: z.number().default(1) }), example });
// @ts-expect-error a transform would replace a value
defineEventType({ ...about, schema: z.strictObject({ size: z.string().transform(Number) }), example });
// @ts-expect-error a coercion would replace a value
defineEventType({ ...about, schema: z.strictObject({ size: z.coerce.number() }), example });
// @ts-expect-error data is an object
defineEventType({ ...about, schema: z.number(), example: 1 });
// @ts-expect-error a Date is not JSON
defineEventType({ ...about, schema: z.strictObject({ size: z.date() }), example: { size: new Date() } });
// @ts-expect-error an example of another shape
defineEventType({ ...about, schema: z.strictObject({ size: z.number() }), example: { size: "1" } });
// @ts-expect-error a name without a dot
defineEventType({ ...about, name: "thing", schema: z.strictObject({ size: z.number() }), example });

// Each step of a versioned type takes data of its own version and makes data of the next one.
const order = { name: "order.placed", description: "A customer placed an order.", version: 3 } as const;
const current = z.strictObject({ cents: z.int(), currency: z.string() });
const orderExample = { cents: 1, currency: "EUR" };
const first = z.strictObject({ total: z.string() });
const second = z.strictObject({ total: z.number() });
const ordered = defineEventType({
  ...order,
  schema: current,
  example: orderExample,
  upcast: {
    1: { schema: first, example: { total: "1" }, up: (data) => ({ total: Number(data.total) }) },
    2: { schema: second, up: ({ total }) => ({ cents: total * 100, currency: "EUR" }) },
  },
});
isTrue<Equal<typeof ordered.example, { cents: number; currency: string }>>();
defineEventType({
  ...order,
  schema: current,
  example: orderExample,
  // @ts-expect-error the first step doesn't make data of version 2
  upcast: {
    1: { schema: first, up: (data) => ({ total: data.total }) },
    2: { schema: second, up: ({ total }) => ({ cents: total * 100, currency: "EUR" }) },
  },
});
defineEventType({
  ...order,
  schema: current,
  example: orderExample,
  // @ts-expect-error the last step doesn't make data of the current version
  upcast: {
    1: { schema: first, up: (data) => ({ total: Number(data.total) }) },
    2: { schema: second, up: ({ total }) => ({ cents: total * 100 }) },
  },
});
defineEventType({
  ...order,
  version: 2,
  schema: current,
  example: orderExample,
  upcast: {
    // @ts-expect-error a misspelt field of the older data
    1: { schema: first, up: (data) => ({ cents: Number(data.totals), currency: "EUR" }) },
  },
});
const step = { schema: second, up: ({ total }: { total: number }) => ({ cents: total, currency: "EUR" }) };
defineEventType({ ...order, version: 2, schema: current, example: orderExample, upcast: { 1: step } });
// @ts-expect-error no step for version 2
defineEventType({ ...order, schema: current, example: orderExample, upcast: { 1: step } });
// @ts-expect-error no steps
defineEventType({ ...order, schema: current, example: orderExample });
// @ts-expect-error a step for the current version
defineEventType({ ...order, version: 1, schema: current, example: orderExample, upcast: { 1: step } });

// The interfaces and the schemas name the same fields, and the schemas change nothing.
isTrue<Equal<keyof z.infer<typeof synapEventSchema>, keyof SynapEvent>>();
isTrue<Equal<keyof z.infer<typeof eventInputSchema>, keyof EventInput>>();
isTrue<Equal<z.input<typeof synapEventSchema>, z.output<typeof synapEventSchema>>>();
const input: EventInput = eventInputSchema.parse(anyEvent);
seedCatalogue.completeEvent(input);
