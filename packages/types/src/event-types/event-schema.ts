import { z } from "zod";
import { synapEventSchema } from "../event/synap-event.ts";
import type { EventTypeDefinition } from "./define-event-type.ts";
import type { EventTypeMap } from "./typed-events.ts";

type Shape = typeof synapEventSchema.shape;

/** The Zod schema of one type's events. */
export type EventSchemaOf<Name extends string, Data> = z.ZodObject<
  Omit<Shape, "type" | "aggregateType" | "data"> & {
    readonly type: z.ZodLiteral<Name>;
    readonly aggregateType: z.ZodLiteral<string>;
    readonly data: z.ZodType<Data, Data>;
  },
  z.core.$strict
>;

/** The Zod schema of the events of a map of types: a union discriminated by `type`. */
export type EventSchema<Types extends EventTypeMap> = z.ZodDiscriminatedUnion<
  readonly { [Name in keyof Types & string]: EventSchemaOf<Name, Types[Name]> }[keyof Types & string][],
  "type"
>;

/** Creates the Zod schema of the definitions' events, at their current versions: a union discriminated by `type`. */
export function createEventSchema<Types extends EventTypeMap>(
  definitions: readonly EventTypeDefinition[],
): EventSchema<Types> {
  const [first, ...rest] = definitions.map(({ name, version, aggregateType, schema }) =>
    synapEventSchema.extend({
      type: z.literal(name),
      schemaVersion: version === 1 ? z.literal(1).optional() : z.literal(version),
      aggregateType: z.literal(aggregateType),
      data: schema,
    }),
  );
  if (first === undefined)
    throw new TypeError(
      "A catalogue without event types has no event schema: define at least one event type.",
    );
  // The map has the types of the definitions under the same names.
  return z.discriminatedUnion("type", [first, ...rest]) as unknown as EventSchema<Types>;
}
