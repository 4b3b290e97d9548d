import type { DeadLetterStream } from "@synap/database";
import type { StoredEvent } from "@synap/types";
import { applyToEvents, type LogStatement } from "./log-statement.ts";
import type { ProjectionContext } from "./projection-context.ts";
import { ProjectionDefinitionError } from "./projection-errors.ts";

/** A table of a read model. Each build of the projection has its own; everybody reads the view of this name. */
export interface ReadTable {
  /** The view's name in schema `synap_read`: lower case, digits and underscores, 40 characters at most. */
  readonly name: string;
  /** The columns of the primary key; shadow comparisons match rows by them. */
  readonly key: readonly string[];
  /** The columns as in CREATE TABLE, without constraints of the table: `owner_id text NOT NULL, score integer`. */
  readonly columns: string;
  /** What follows ON in CREATE INDEX: `(owner_id, score DESC) WHERE closed_at IS NULL`. */
  readonly indexes?: readonly string[];
}

/** A read model, and how it is made from events. See docs/projections.md. */
export interface Projection {
  /** Unique among projections and for ever: lower case, digits and dashes. */
  readonly name: string;
  /** A whole number from 1. Whoever changes the tables or what `apply` makes of old events gives a new one. */
  readonly version: number;
  /** One sentence for people. */
  readonly description: string;
  readonly eventTypes: readonly string[] | "all";
  readonly tables: readonly ReadTable[];
  /** `inline`: in the transaction of each append, once it has caught up. `async`: from its own checkpoint. */
  readonly mode: "inline" | "async";
  /** How many workers may share it, by stream: 1 to 64. Default 1; an inline one has 1. */
  readonly segments?: number | undefined;
  /**
   * Writes a batch into the tables, in the order of positions (of each stream, when there are segments). It may depend
   * on nothing but the events and its own tables: builds, comparisons and as-of runs must come to the same rows.
   */
  apply(events: readonly StoredEvent[], context: ProjectionContext): Promise<void>;
  /** What `apply` does, as one statement: see {@link defineStatementProjection}. */
  readonly statement?: LogStatement | undefined;
}

/**
 * Checks and answers the definition.
 *
 * @throws ProjectionDefinitionError
 */
export function defineProjection(projection: Projection): Projection {
  const { name, version, tables, mode } = projection;
  const refuse = (reason: string): never => {
    throw new ProjectionDefinitionError(name, reason);
  };
  if (!/^[a-z][a-z0-9-]{0,59}$/.test(name)) refuse("its name isn't lower case with dashes");
  if (!Number.isInteger(version) || version < 1) refuse("its version isn't a whole number from 1");
  if (tables.length === 0) refuse("it has no table");
  for (const table of tables) {
    if (!/^[a-z][a-z0-9_]{0,39}$/.test(table.name)) refuse(`"${table.name}" is no name for a table`);
    if (table.key.length === 0) refuse(`table "${table.name}" has no key`);
  }
  if (new Set(tables.map((table) => table.name)).size < tables.length) refuse("two tables have one name");
  const segments = segmentsOf(projection);
  if (!Number.isInteger(segments) || segments < 1 || segments > 64) refuse("it has no 1 to 64 segments");
  if (mode === "inline" && segments > 1) refuse("an inline projection can't be split in segments");
  return projection;
}

/**
 * The same for a projection that is one SQL statement and doesn't look into the events' data. Its passes let the
 * statement read the log where it lies, which takes a fraction of the time of bringing the events here and back.
 *
 * @throws ProjectionDefinitionError
 */
export function defineStatementProjection(
  projection: Omit<Projection, "apply" | "statement"> & { readonly statement: LogStatement },
): Projection {
  const { statement } = projection;
  return defineProjection({
    ...projection,
    apply: (events, context) => applyToEvents(events, context, statement),
  });
}

/** In how many segments a projection is split. */
export function segmentsOf({ segments }: Projection): number {
  return segments ?? 1;
}

/** The segment of a stream: the same for ever, whatever else is stored. FNV-1a over UTF-16 code units, mixed. */
export function segmentOf({ aggregateType, aggregateId }: DeadLetterStream, segments: number): number {
  let hash = 0x811c9dc5;
  const key = `${aggregateType}\0${aggregateId}`;
  for (let index = 0; index < key.length; index += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return ((hash ^ (hash >>> 15)) >>> 0) % segments;
}
