import type { EventTypeDefinition, StoredEvent, StreamName } from "@synap/types";
import { streamKey } from "@synap/types/internal";
import type { PgTable } from "drizzle-orm/pg-core";
import { type EventsOf, namesOf } from "../handler/event-handler.ts";
import { foldRows, type RowFold } from "./fold-rows.ts";
import { applyToEvents, type LogStatement } from "./log-statement.ts";
import type { ProjectionContext } from "./projection-context.ts";
import { ProjectionDefinitionError } from "./projection-errors.ts";
import { columnsOf, describeReadTable, type ReadTable, type RowOwner } from "./read-table.ts";

/** A read model and the code that builds it from events. */
export interface Projection<Name extends string = string> {
  /** Unique among projections and never changed: lower case, digits and dashes. */
  readonly name: Name;
  /** A whole number from 1. Increase it when the tables or the rows made from old events change. */
  readonly version: number;
  /** One sentence for operators. */
  readonly description: string;
  readonly eventTypes: readonly string[] | "all";
  readonly tables: readonly ReadTable[];
  /** `inline`: in the transaction of each append, once it has caught up. `async`: from its own checkpoint. */
  readonly mode: "inline" | "async";
  /** Number of segments, by stream, that workers can share: 1 to 64. Default 1; always 1 for an inline projection. */
  readonly segments?: number | undefined;
  /**
   * Writes a batch into the tables, in the order of positions (within each stream, if there are segments). It may depend only
   * on the events and its own tables: builds, comparisons and as-of runs must produce the same rows.
   */
  apply(events: readonly StoredEvent[], context: ProjectionContext): Promise<void>;
  /** The same as `apply` in one statement: see {@link defineStatementProjection}. */
  readonly statement?: LogStatement | undefined;
  /**
   * True if of a batch `apply` keeps the order in which the events are given, and does not compare their positions. Then a run over what was
   * known takes a call for each 1,000 events, where it otherwise takes one for each stretch in the order of positions. Default: false.
   */
  readonly keepsOrder?: boolean | undefined;
}

/** The fields of every projection definition. */
export interface ProjectionDefinition<
  Events extends readonly EventTypeDefinition[] | "all",
  Name extends string = string,
> extends Pick<Projection<Name>, "name" | "version" | "description" | "mode" | "segments"> {
  readonly events: Events;
}

/** The definition of a projection with one row per thing. */
export interface RowProjectionDefinition<
  Events extends readonly EventTypeDefinition[] | "all",
  Row extends object,
  Next extends Row | undefined,
  Name extends string = string,
> extends ProjectionDefinition<Events, Name> {
  /** Made with `readTable`; its primary key is one column of text. */
  readonly table: PgTable & { readonly $inferSelect: Row };
  /**
   * The columns that say whose a row is. A user, agent or service without the scope `read-all` then reads his own, through read models with `ownRows`.
   * Can be added and changed without a new version.
   */
  readonly owner?: RowOwner<TextColumnsOf<NoInfer<Row>>>;
  /** Returns the primary key of an event's row. Default: the event's `aggregateId`. */
  key?(event: EventsOf<Events>): string;
  /**
   * Returns the row after an event: undefined to delete it, the same object to leave it unchanged. It may depend only on its
   * arguments: builds, comparisons and as-of runs must produce the same rows.
   */
  evolve(row: Row | undefined, event: EventsOf<Events>): Next;
}

/** The names of the columns that hold text. */
type TextColumnsOf<Row> = {
  [Name in keyof Row & string]: NonNullable<Row[Name]> extends string ? Name : never;
}[keyof Row & string];

type KeysOf<Union> = Union extends unknown ? keyof Union : never;

/** Turns an `evolve` that returns unknown columns into a compile error; adds nothing to any other. */
type OnlyColumnsOf<Row, Next> = [Exclude<KeysOf<NonNullable<Next>>, keyof Row>] extends [never]
  ? unknown
  : {
      readonly "evolve gives columns that the table doesn't have": Exclude<
        KeysOf<NonNullable<Next>>,
        keyof Row
      >;
    };

/**
 * Defines a read model of one row per thing: a table, and the row after each event. The data of the events and the columns of
 * the row are typed by their definitions.
 *
 * @throws ProjectionDefinitionError
 * @example
 * export const orderTotals = defineProjection({
 *   name: "order-totals",
 *   version: 1,
 *   description: "Keeps the total of every order.",
 *   events: [orderPlaced, orderCancelled],
 *   mode: "async",
 *   table: orders,
 *   evolve(row, event) {
 *     if (event.type === "order.placed") return { id: event.aggregateId, total: event.data.total };
 *     return undefined;
 *   },
 * });
 */
export function defineProjection<
  const Events extends readonly EventTypeDefinition[] | "all",
  Row extends object,
  // `const` type parameters, so that "open" is not widened to string.
  const Next extends Row | undefined,
  const Name extends string,
>(definition: RowProjectionDefinition<Events, Row, Next, Name> & OnlyColumnsOf<Row, Next>): Projection<Name> {
  const { name, table } = definition;
  const described = describeReadTable(name, table, definition.owner);
  if (described.key.length !== 1) {
    throw new ProjectionDefinitionError(
      name,
      `its table "${described.name}" has no primary key of one column`,
    );
  }
  type Event = EventsOf<Events>;
  // Only events of these types are passed, and rows have the form that evolve returned.
  const fold: RowFold = {
    table: described.name,
    columns: columnsOf(table),
    keyOf: (event) => definition.key?.(event as Event) ?? event.aggregateId,
    evolve: (row, event) => definition.evolve(row as Row | undefined, event as Event),
  };
  return checked({
    ...identityOf(definition),
    tables: [described],
    keepsOrder: true,
    apply: (events, context) => foldRows(events, context, fold),
  });
}

/**
 * Defines a read model whose `apply` writes its tables, one batch of events at a time.
 *
 * @throws ProjectionDefinitionError
 */
export function defineBatchProjection<
  const Events extends readonly EventTypeDefinition[] | "all",
  const Name extends string,
>(
  definition: ProjectionDefinition<Events, Name> & {
    readonly tables: readonly ReadTable[];
    /** See {@link Projection.keepsOrder}. */
    readonly keepsOrder?: boolean;
    /** See {@link Projection.apply}. */
    apply(events: readonly EventsOf<Events>[], context: ProjectionContext): Promise<void>;
  },
): Projection<Name> {
  return checked({
    ...identityOf(definition),
    tables: definition.tables,
    keepsOrder: definition.keepsOrder,
    apply: (events, context) => definition.apply(events as readonly EventsOf<Events>[], context),
  });
}

/**
 * Defines a read model that is one SQL statement and doesn't read the events' data. The statement reads
 * the log inside the database, which takes a fraction of the time of fetching the events and writing rows back.
 *
 * @throws ProjectionDefinitionError
 */
export function defineStatementProjection<
  const Events extends readonly EventTypeDefinition[] | "all",
  const Name extends string,
>(
  definition: ProjectionDefinition<Events, Name> & {
    readonly tables: readonly ReadTable[];
    readonly statement: LogStatement;
  },
): Projection<Name> {
  const { tables, statement } = definition;
  return checked({
    ...identityOf(definition),
    tables,
    statement,
    apply: (events, context) => applyToEvents(events, context, statement),
  });
}

function identityOf<Name extends string>(
  definition: ProjectionDefinition<readonly EventTypeDefinition[] | "all", Name>,
) {
  const { name, version, description, events, mode, segments } = definition;
  return {
    name,
    version,
    description,
    mode,
    eventTypes: namesOf(events),
    ...(segments !== undefined && { segments }),
  };
}

/** Views in `synap_read` that the migrations create. */
const OWN_VIEWS: ReadonlySet<string> = new Set(["audit_log", "compliance_stats"]);

/** @throws ProjectionDefinitionError */
function checked<Name extends string>(projection: Projection<Name>): Projection<Name> {
  const { name, version, tables, mode } = projection;
  const refuse = (reason: string): never => {
    throw new ProjectionDefinitionError(name, reason);
  };
  if (!/^[a-z][a-z0-9-]{0,59}$/.test(name)) refuse("its name isn't lower case with dashes");
  if (!Number.isInteger(version) || version < 1) refuse("its version isn't a whole number from 1");
  if (tables.length === 0) refuse("it has no table");
  for (const table of tables) {
    if (!/^[a-z][a-z0-9_]{0,39}$/.test(table.name)) refuse(`"${table.name}" is no name for a table`);
    if (OWN_VIEWS.has(table.name)) refuse(`"${table.name}" is a view of Synap's own; rename the table`);
    for (const column of Object.values(table.owner ?? {})) {
      if (!/^[a-z_][a-z0-9_]{0,62}$/.test(column ?? ""))
        refuse(`"${column}" is no name for a column of an owner`);
    }
    if (table.key.length === 0) refuse(`table "${table.name}" has no key`);
  }
  if (new Set(tables.map((table) => table.name)).size < tables.length) refuse("two tables have one name");
  const segments = segmentsOf(projection);
  if (!Number.isInteger(segments) || segments < 1 || segments > 64) refuse("it has no 1 to 64 segments");
  if (mode === "inline" && segments > 1) refuse("an inline projection can't be split in segments");
  return projection;
}

/** The number of segments of a projection. */
export function segmentsOf({ segments }: Projection): number {
  return segments ?? 1;
}

/** The segment of a stream, which never changes. FNV-1a over UTF-16 code units, mixed. */
export function segmentOf(stream: StreamName, segments: number): number {
  let hash = 0x811c9dc5;
  const key = streamKey(stream);
  for (let index = 0; index < key.length; index += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return ((hash ^ (hash >>> 15)) >>> 0) % segments;
}
