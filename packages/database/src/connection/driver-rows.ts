import type { SqlParameter } from "./sql-session.ts";

const INT8 = 20;
const JSON_TYPES: readonly unknown[] = [114, 3802];
const TIMESTAMPTZ = 1184;

/** How PostgreSQL's drivers name a result's columns: postgres.js in `columns`, the others in `fields`. */
interface Column {
  readonly name: string;
  readonly type: unknown;
}

/**
 * The rows of a result as a session promises them, whatever the application has told its driver to make of `int8`,
 * `timestamptz` and JSON.
 */
export function readDriverRows<Row extends object>(result: unknown): Row[] {
  const rows = rowsOf(result);
  const columns = columnsOf(result).flatMap(({ name, type }) => {
    const read = readerOf(type);
    return read === undefined ? [] : [{ name, read }];
  });
  return rows.map((row) => {
    const own: Record<string, unknown> = { ...row };
    for (const { name, read } of columns) own[name] = read(own[name]);
    // What a statement answers is for its caller to know, here as with our own connections.
    return own as Row;
  });
}

/** Parameters that every driver writes alike. */
export function writeDriverParameters(
  parameters: readonly SqlParameter[],
): (string | number | boolean | null)[] {
  return parameters.map((parameter) => {
    if (parameter instanceof Date) return parameter.toISOString();
    return typeof parameter === "bigint" ? parameter.toString() : parameter;
  });
}

function rowsOf(result: unknown): readonly object[] {
  const rows = Array.isArray(result) ? result : isRecord(result) ? result["rows"] : undefined;
  if (!Array.isArray(rows)) throw new TypeError("The driver's result has no rows that could be read.");
  return rows;
}

function columnsOf(result: unknown): readonly Column[] {
  if (!isRecord(result)) return [];
  const columns = result["columns"] ?? result["fields"];
  if (!Array.isArray(columns)) return [];
  return columns.filter(isRecord).map((column) => ({
    name: String(column["name"]),
    type: column["type"] ?? column["dataTypeID"],
  }));
}

function readerOf(type: unknown): ((value: unknown) => unknown) | undefined {
  if (type === INT8) return (value) => (value === null ? null : Number(value));
  if (type === TIMESTAMPTZ) return (value) => (typeof value === "string" ? new Date(value) : value);
  if (JSON_TYPES.includes(type)) return (value) => (typeof value === "string" ? JSON.parse(value) : value);
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
