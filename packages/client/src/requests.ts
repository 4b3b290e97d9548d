import type { HTTP_REQUESTS, RequestSchemas } from "@synap/types/http";
import type { z } from "zod";
import type { OPERATIONS, OperationName } from "./operations.ts";

/** The schemas of what an operation takes. The parameters of a read model are those of its definition. */
type SchemasOf<Name extends OperationName> = Name extends keyof typeof HTTP_REQUESTS
  ? (typeof HTTP_REQUESTS)[Name]
  : { readonly query: z.ZodType<object> };

type SchemaOf<Name extends OperationName, Part extends keyof RequestSchemas> =
  SchemasOf<Name> extends Readonly<Record<Part, infer Schema extends z.ZodType>> ? Schema : z.ZodUndefined;

/** A part of a request, which may be left out where nothing in it is required, and must be where the operation has none. */
type Part<Key extends string, Value> = [Value] extends [undefined]
  ? { readonly [Each in Key]?: undefined }
  : Record<never, never> extends Value
    ? { readonly [Each in Key]?: Value }
    : { readonly [Each in Key]: Value };

/** The names in braces in a path. */
type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | NamesIn<Rest>
  : never;

type PathOf<Name extends OperationName> = NamesIn<(typeof OPERATIONS)[Name]["path"]>;

/** A parameter that is written into the address as text. */
type Written<Value> = Value extends readonly (infer Item)[]
  ? readonly Item[]
  : string extends Value
    ? Value | Date
    : Value;

type QueryFrom<Schema extends z.ZodType> = {
  readonly [Name in keyof z.output<Schema> as Exclude<Name, "backfill">]: Written<
    z.output<Schema>[Name] | (Name extends keyof z.input<Schema> ? z.input<Schema>[Name] : never)
  >;
};

/** The query parameters of an operation, without `backfill`, which comes with a token. */
export type QueryOf<Name extends OperationName> = QueryFrom<SchemaOf<Name, "query">>;

/** The headers of an operation. */
export type HeadersOf<Name extends OperationName> =
  z.input<SchemaOf<Name, "headers">> extends infer Headers extends Readonly<
    Record<string, string | undefined>
  >
    ? Headers
    : undefined;

/** The body of an operation. */
export type BodyOf<Name extends OperationName> = z.input<SchemaOf<Name, "body">>;

/** Request of an operation. */
export type RequestOf<Name extends OperationName> = Part<
  "path",
  [PathOf<Name>] extends [never] ? undefined : Readonly<Record<PathOf<Name>, string | number>>
> &
  Part<"query", SchemaOf<Name, "query"> extends z.ZodUndefined ? undefined : QueryOf<Name>> &
  Part<"headers", HeadersOf<Name>> &
  // JSON that was written already is sent as it is, instead of a body.
  (Part<"body", BodyOf<Name>> | ([BodyOf<Name>] extends [undefined] ? never : { readonly json: string })) & {
    readonly [Each in "backfill" & keyof z.output<SchemaOf<Name, "query">>]?: boolean | undefined;
  };
