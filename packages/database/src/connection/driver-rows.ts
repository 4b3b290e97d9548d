import { UnreadableValueError } from "./database-errors.ts";
import { readerOf } from "./wire-types.ts";

/** A column of a driver's result: postgres.js has them in `columns`, the others in `fields`. */
interface Column {
  readonly name: string;
  readonly type: number;
}

/**
 * Converts the rows of a result to the types of a session, independent of the application's type parsers: values that the
 * driver left as text are parsed here.
 */
export function readDriverRows<Row extends object>(result: unknown): Row[] {
  const columns = columnsOf(result);
  return rowsOf(result).map((row) => {
    const own: Record<string, unknown> = { ...row };
    for (const { name, type } of columns) own[name] = readValue(own[name], type);
    // The caller knows the row type of its statement, as with our own connections.
    return own as Row;
  });
}

/** Converts the rows of a postgres.js result with raw values. */
export function readRawRows<Row extends object>(
  result: readonly (readonly (Buffer | null)[])[] & { readonly columns?: unknown },
): Row[] {
  const columns = columnsOf(result);
  return result.map(
    (row) =>
      Object.fromEntries(
        columns.map(({ name, type }, index) => {
          const value = row[index] ?? null;
          return [name, value === null ? null : readerOf(type)(value.toString("utf8"))];
        }),
      ) as Row,
  );
}

function rowsOf(result: unknown): readonly object[] {
  const rows = Array.isArray(result) ? result : isRecord(result) ? result["rows"] : undefined;
  if (!Array.isArray(rows)) throw new TypeError("The driver's result has no readable rows.");
  return rows;
}

function columnsOf(result: unknown): readonly Column[] {
  if (!isRecord(result)) return [];
  const columns = result["columns"] ?? result["fields"];
  if (!Array.isArray(columns)) return [];
  return columns.filter(isRecord).map((column) => ({
    name: String(column["name"]),
    type: Number(column["type"] ?? column["dataTypeID"]),
  }));
}

function readValue(value: unknown, type: number): unknown {
  if (typeof value === "string") return readerOf(type)(value);
  if (value instanceof Date && Number.isNaN(value.valueOf()))
    throw new UnreadableValueError("moment", String(value));
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
