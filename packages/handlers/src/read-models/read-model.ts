import type { Database } from "@synap/database";
import { z } from "zod";
import type { IEventHandler } from "../handler/event-handler.ts";
import type { Projection } from "../projections/projection.ts";

/** The session for reading read models: SQL through `query`, drizzle through `orm`. */
export type ReadSession = Pick<Database, "query" | "orm">;

/** The bounds on a response's size. */
export interface ResponseBounds {
  /** Size in bytes at which a response of large rows should end: with the row that reaches it. */
  readonly maxBytes: number;
  /** The moment that the rows are about, where it was asked for: `asOf`, or else `validAt` or `knownAt`. Undefined for the present. */
  readonly asOf?: Date | undefined;
}

/** The bounds on a response about the past. */
export interface PastBounds extends ResponseBounds {
  readonly asOf: Date;
  /** The last event of then. */
  readonly position: number;
  /** Number of events of the log after which to give up, with an AsOfTooLongError. Default: none. */
  readonly maxEvents?: number | undefined;
}

/** A value that JSON turns into this one: a moment may be a Date. */
export type JsonSource<Value> = Value extends string
  ? Value | Date
  : Value extends readonly (infer Item)[]
    ? readonly JsonSource<Item>[]
    : Value extends object
      ? { readonly [Key in keyof Value]: JsonSource<Value[Key]> }
      : Value;

/** The definition of a projection or a handler that writes the rows of a read model. */
export type Writer = Pick<Projection, "name" | "mode" | "version"> | Pick<IEventHandler, "name" | "mode">;

/** A query over read tables, served over HTTP. Made by {@link defineReadModel}. */
export interface ReadModel<
  Parameters extends z.ZodObject = z.ZodObject,
  Answer extends z.ZodType = z.ZodType,
  Path extends string = string,
> {
  /** Path of one segment: the read model is served at `GET /api/v1/{path}`. */
  readonly path: Path;
  /** One sentence: the summary in the OpenAPI document. */
  readonly description: string;
  /**
   * The projections and handlers that write its rows: an answer announces how far the last of them has come. An empty list for a view over
   * the log, which has every event that is stored.
   */
  readonly writtenBy: readonly Writer[];
  readonly parameters: Parameters;
  readonly response: Answer;
  /**
   * True if users, agents and services may read it with the scope `read`: `session` then shows them the rows that they own, and
   * refuses every table without an owner. Otherwise it takes `read-all`. What `read` has from elsewhere is shown to every caller.
   */
  readonly ownRows?: boolean;
  read(
    session: ReadSession,
    parameters: z.output<Parameters>,
    bounds: ResponseBounds,
  ): Promise<JsonSource<z.input<Answer>>>;
  /**
   * Reads it as it was at a moment, for a view over the log. What projections write needs none: they are folded up to then, and `read` reads
   * the result.
   */
  readPast?(
    session: ReadSession,
    parameters: z.output<Parameters>,
    bounds: PastBounds,
  ): Promise<JsonSource<z.input<Answer>>>;
}

/** Thrown when a read model's definition is invalid. */
export class ReadModelDefinitionError extends Error {
  override readonly name = "ReadModelDefinitionError";
  readonly code = "READ_MODEL_INVALID";

  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`The read model "${path}" ${reason}.`, options);
  }
}

/** Paths below `/api/v1` that the API uses itself, and the names of its other operations. */
const RESERVED = new Set([
  "admin",
  "aggregates",
  "events",
  "health",
  "index",
  "metrics",
  "openapi",
  "readiness",
  "status",
  "streams",
]);

/**
 * Defines a query over read tables that the API serves at `GET /api/v1/{path}`. Its parameters are checked before `read` is
 * called, and both they and the response are in the OpenAPI document. Parameters come as text: use `wholeNumber` of
 * `@synap/types/http` or `z.coerce` for those that aren't.
 *
 * @throws ReadModelDefinitionError
 * @example
 * export const openOrders = defineReadModel({
 *   path: "open-orders",
 *   description: "Orders that are not paid yet",
 *   writtenBy: [ordersProjection],
 *   parameters: z.strictObject({ customer: z.string().optional() }),
 *   response: z.object({ orders: z.array(z.object({ id: z.string(), total: z.number() })) }),
 *   async read({ orm }, { customer }) {
 *     return { orders: await orm.select({ id: orders.id, total: orders.total }).from(orders) };
 *   },
 * });
 */
export function defineReadModel<
  Parameters extends z.ZodObject,
  Answer extends z.ZodType<object>,
  const Path extends string,
>(model: ReadModel<Parameters, Answer, Path>): ReadModel<Parameters, Answer, Path> {
  const { path, parameters, response } = model;
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(path) || path.length > 60) {
    throw new ReadModelDefinitionError(path, "needs a path of lower case words joined by dashes");
  }
  if (RESERVED.has(path)) throw new ReadModelDefinitionError(path, "has a path that Synap's API uses itself");
  const taken = ["asOf", "knownAt", "validAt"].find((name) => name in parameters.shape);
  if (taken !== undefined) {
    throw new ReadModelDefinitionError(path, `has the parameter ${taken}, which every read model has`);
  }
  checkWriters(path, model.writtenBy);
  describe(path, "parameters", parameters);
  describe(path, "a response", response);
  return model;
}

/** Also for definitions in JavaScript: what announces a position must know whose it is. */
function checkWriters(path: string, writtenBy: unknown): void {
  const isWriter = (each: unknown) =>
    typeof each === "object" && each !== null && "name" in each && "mode" in each;
  if (Array.isArray(writtenBy) && writtenBy.every(isWriter)) return;
  throw new ReadModelDefinitionError(
    path,
    "needs writtenBy: a list of the projections and handlers that write its rows, empty for a view over the log",
  );
}

function describe(path: string, part: string, schema: z.ZodType): void {
  try {
    z.toJSONSchema(schema, { io: "input" });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ReadModelDefinitionError(path, `has ${part} that JSON Schema can't describe: ${reason}`, {
      cause,
    });
  }
}

/** The name of a read model's response in the OpenAPI document: `OpenOrders` for `open-orders`. */
export function componentOf({ path }: Pick<ReadModel, "path">): string {
  return path
    .split("-")
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join("");
}
