import { getTableColumns, type InferSelectModel, SQL } from "drizzle-orm";
import {
  customType,
  getTableConfig,
  type Index,
  type IndexedColumn,
  PgDialect,
  type PgTable,
  pgSchema,
} from "drizzle-orm/pg-core";
import { ProjectionDefinitionError } from "./projection-errors.ts";

/**
 * Declares a table of a read model with drizzle: columns, types, indexes, row type and typed queries all come from this
 * one declaration. Each build of a projection has a table of this form; queries read the view of its name in `synap_read`.
 *
 * @example
 * export const orders = readTable(
 *   "orders",
 *   { id: keyText("id").primaryKey(), customer: text("customer").notNull(), placedAt: moment("placed_at").notNull() },
 *   (table) => [index().on(table.customer, table.placedAt)],
 * );
 */
export const readTable = pgSchema("synap_read").table;

/** A text column with byte-wise collation, for ids: faster than a language's collation, and the same everywhere. */
export const keyText = customType<{ data: string }>({ dataType: () => 'text COLLATE "C"' });

/** A timestamp column with milliseconds, read as text in the form of an event's `timestamp`. */
export const moment = customType<{ data: string; driverData: string }>({
  dataType: () => "timestamptz(3)",
  // PostgreSQL writes "2026-03-04 05:06:07.089+00", or as JSON "2026-03-04T05:06:07.089+00:00".
  fromDriver: (value) => new Date(value.replace(" ", "T").replace(/[+-]\d\d$/, "$&:00")).toISOString(),
});

/** A row of a read table, as `evolve` receives and returns it. */
export type RowOf<Table extends PgTable> = InferSelectModel<Table>;

/** A table of a read model. Each build of the projection has its own; queries read the view of this name. */
export interface ReadTable {
  /** The view's name in schema `synap_read`: lower case, digits and underscores, 40 characters at most. */
  readonly name: string;
  /** The columns of the primary key, by which shadow comparisons match rows. */
  readonly key: readonly string[];
  /** The columns as in CREATE TABLE, without table constraints: `owner_id text NOT NULL, score integer`. */
  readonly columns: string;
  /** The part of CREATE INDEX after ON: `(owner_id, score DESC) WHERE closed_at IS NULL`. */
  readonly indexes?: readonly string[];
  /** The columns that say whose a row is; without them only a caller who may read all rows reads the table. */
  readonly owner?: RowOwner | undefined;
}

/**
 * The columns of a table that say whose a row is: `userId` has the id of a user, and `createdBy` an agent or a service as in an
 * event's `createdBy`. An index should begin with each.
 */
export interface RowOwner<Column extends string = string> {
  readonly userId?: Column | undefined;
  readonly createdBy?: Column | undefined;
}

/** Column types whose values survive the round trip through JSON. */
const COLUMN_TYPES = new Set([
  "PgText",
  "PgVarchar",
  "PgUUID",
  "PgBoolean",
  "PgSmallInt",
  "PgInteger",
  "PgBigInt53",
  "PgDoublePrecision",
  "PgDateString",
  "PgJsonb",
  "PgCustomColumn",
]);

/** The columns of a table: their names in code and in SQL. */
export interface TableColumns {
  /** By the name in code. */
  readonly sqlNames: Readonly<Record<string, string>>;
  /** Reads a value of a column, by its name in code, from a row that came as JSON. */
  read(name: string, value: unknown): unknown;
  /** The column of the primary key, in SQL. */
  readonly key: string;
}

/**
 * Describes a declared table for projections, which create it.
 *
 * @throws ProjectionDefinitionError naming the projection and the feature of the table that a build can't have
 */
export function describeReadTable(projection: string, table: PgTable, owner?: RowOwner): ReadTable {
  const config = getTableConfig(table);
  const refuse = (reason: string): never => {
    throw new ProjectionDefinitionError(projection, `its table "${config.name}" ${reason}`);
  };
  if (config.schema !== "synap_read") refuse("isn't made with readTable");
  if (config.foreignKeys.length > 0) refuse("has a foreign key: builds are made and dropped one by one");
  if (config.checks.length > 0) refuse("has a check: what an event holds is checked by its own schema");
  if (config.uniqueConstraints.length > 0 || config.columns.some((column) => column.isUnique)) {
    refuse("has a unique constraint beside its primary key: events are not refused by a read model");
  }
  const columns = config.columns.map((column) => {
    if (!COLUMN_TYPES.has(column.columnType)) {
      refuse(
        `has the column "${column.name}" of a type that would not survive the round trip through JSON; use text`,
      );
    }
    if (column.hasDefault) refuse(`has a default for "${column.name}": evolve returns every column`);
    return `"${column.name}" ${column.getSQLType()}${column.notNull ? " NOT NULL" : ""}`;
  });
  const key = [
    ...config.columns.filter(({ primary }) => primary),
    ...config.primaryKeys.flatMap((primary) => primary.columns),
  ].map(({ name }) => name);
  const byName = getTableColumns(table);
  const sqlNameOf = (by: keyof RowOwner): RowOwner => {
    const name = owner?.[by];
    if (name === undefined) return {};
    const column = byName[name];
    if (column === undefined) return refuse(`has no column "${name}" for its owner`);
    if (!/^(?:text|varchar)/.test(column.getSQLType())) refuse(`has an owner "${name}" that is no text`);
    return { [by]: column.name };
  };
  return {
    name: config.name,
    key,
    columns: columns.join(", "),
    indexes: config.indexes.map(writeIndex),
    ...(owner !== undefined && { owner: { ...sqlNameOf("userId"), ...sqlNameOf("createdBy") } }),
  };
}

/** The names of a table's columns. */
export function columnsOf(table: PgTable): TableColumns {
  const byName = getTableColumns(table);
  const columns = Object.entries(byName);
  return {
    // Values have the same form in JSON and in rows, except for moments.
    read: (name, value) =>
      value !== null && byName[name]?.columnType === "PgCustomColumn"
        ? byName[name].mapFromDriverValue(value)
        : value,
    sqlNames: Object.fromEntries(columns.map(([name, column]) => [name, column.name])),
    key: columns.find(([, column]) => column.primary)?.[1].name ?? "",
  };
}

const dialect = new PgDialect();

/** Writes the part of CREATE INDEX after ON. */
function writeIndex({ config }: Index): string {
  const columns = config.columns.map((column) =>
    column instanceof SQL ? writeSql(column) : "indexConfig" in column ? writeColumn(column) : "",
  );
  const where = config.where === undefined ? "" : ` WHERE ${writeSql(config.where)}`;
  const method = config.method === undefined || config.method === "btree" ? "" : `USING ${config.method} `;
  return `${method}(${columns.join(", ")})${where}`;
}

function writeColumn({ name, indexConfig = {} }: Partial<IndexedColumn>): string {
  const { order, nulls, opClass } = indexConfig;
  const parts = [`"${name}"`, opClass, order === "desc" ? "DESC" : undefined];
  // NULLS LAST is the default when ascending, NULLS FIRST when descending.
  const usual = order === "desc" ? "first" : "last";
  if (nulls !== undefined && nulls !== usual) parts.push(`NULLS ${nulls.toUpperCase()}`);
  return parts.filter((part) => part !== undefined).join(" ");
}

/** Writes an expression with its values inlined, and its columns without the table, which an index does not need. */
function writeSql(expression: SQL): string {
  return dialect.sqlToQuery(expression.inlineParams(), "indexes").sql;
}
