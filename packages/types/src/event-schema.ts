import { z } from "zod";
import type { EventTypeDefinition } from "./define-event-type.ts";
import type { EventTypeMap } from "./event-catalogue.ts";
import { synapEventSchema } from "./synap-event.ts";

type Shape = typeof synapEventSchema.shape;

/** The events of one type as a Zod schema. */
export type EventSchemaOf<Name extends string, Data> = z.ZodObject<
  Omit<Shape, "type" | "aggregateType" | "data"> & {
    readonly type: z.ZodLiteral<Name>;
    readonly aggregateType: z.ZodLiteral<string>;
    readonly data: z.ZodType<Data, Data>;
  },
  z.core.$strict
>;

/** The events of a map of types as a Zod union, discriminated by `type`. */
export type EventSchema<Types extends EventTypeMap> = z.ZodDiscriminatedUnion<
  readonly { [Name in keyof Types & string]: EventSchemaOf<Name, Types[Name]> }[keyof Types & string][],
  "type"
>;

/** The events of these definitions as a Zod union, discriminated by `type`. */
export function createEventSchema<Types extends EventTypeMap>(
  definitions: readonly EventTypeDefinition[],
): EventSchema<Types> {
  const [first, ...rest] = definitions.map(({ name, aggregateType, schema }) =>
    synapEventSchema.extend({ type: z.literal(name), aggregateType: z.literal(aggregateType), data: schema }),
  );
  if (first === undefined)
    throw new TypeError("A catalogue without event types has no schema of its events.");
  // The map says of each name what the definition of that name says.
  return z.discriminatedUnion("type", [first, ...rest]) as unknown as EventSchema<Types>;
}
