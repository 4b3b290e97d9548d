import type { z } from "zod";
import type { JsonObject } from "../json/json.ts";
import type { PersonalField } from "../personal/personal-fields.ts";

/** An earlier version of an event type, whose events are in the log and may still arrive. */
export interface EarlierVersion {
  readonly version: number;
  /** Validates data of this version. */
  readonly schema: z.ZodType;
  /** The schema as JSON Schema (draft 2020-12). */
  readonly jsonSchema: Readonly<Record<string, unknown>>;
  /** The personal fields of this version. */
  readonly personal: readonly PersonalField[];
  /** Makes data of the next version from data of this one. */
  readonly up: (data: JsonObject) => JsonObject;
}

/** The schemas of the earlier versions, by version. */
export type EarlierSchemas = { readonly [Version in number]: z.ZodType<JsonObject> };

/**
 * The steps from each earlier version to the next one: `up` takes data of its own version's schema, and its result must fit the
 * next version's, which for the last step is the current one.
 */
export type UpcastSteps<Schemas, Current extends z.ZodType> = {
  readonly [Version in keyof Schemas]: {
    readonly schema: Schemas[Version];
    /** Data of this version. It and what is made of it by all further steps must satisfy the schemas. */
    readonly example?: DataOf<Schemas[Version]> | undefined;
    /** Must depend on the data only, and leave it as it is: it runs each time that an event is read. */
    readonly up: (data: DataOf<Schemas[Version]>) => NextOf<Schemas, Version, Current>;
  };
};

type DataOf<Schema> = Schema extends z.ZodType ? z.output<Schema> : never;

type NextOf<Schemas, Version, Current extends z.ZodType> = Schemas extends {
  readonly [Next in After<NumberOf<Version>>]: infer Schema extends z.ZodType;
}
  ? z.output<Schema>
  : z.output<Current>;

// The compiler may name a key that is a number by its text, where it has inferred the object from its fields.
type NumberOf<Key> = `${Key & (string | number)}` extends `${infer Value extends number}` ? Value : never;

type ListOf<Length extends number, List extends 0[] = []> = List["length"] extends Length
  ? List
  : List["length"] extends 99
    ? never
    : ListOf<Length, [...List, 0]>;
type After<Version extends number> = [...ListOf<Version>, 0]["length"] & number;
type BeforeAll<Version extends number, List extends 0[] = [0], Found = never> = List["length"] extends Version
  ? Found
  : List["length"] extends 99
    ? never
    : BeforeAll<Version, [...List, 0], Found | List["length"]>;

/** Turns a definition that doesn't have a step for each version before its own into a compile error; adds nothing to any other. */
export type CompleteSteps<Schemas, Version extends number> = number extends Version
  ? unknown
  : [BeforeAll<Version>, NumberOf<keyof Schemas>] extends [NumberOf<keyof Schemas>, BeforeAll<Version>]
    ? unknown
    : { "upcast must have a step for each version before this one, and no other": never };
