/** The kinds of columns, each of which has its own form in a file. */
export type ColumnKind = "integer" | "number" | "boolean" | "json" | "time" | "text";

/** The kind of a type of PostgreSQL, by its name with or without a precision. Types that are not known are text. */
export function kindOf(type: string): ColumnKind {
  switch (type.toLowerCase().replaceAll(/\s*\([^)]*\)/g, "")) {
    case "bigint":
    case "int8":
    case "integer":
    case "int4":
    case "smallint":
    case "int2":
      return "integer";
    case "numeric":
    case "double precision":
    case "float8":
    case "real":
    case "float4":
      return "number";
    case "boolean":
    case "bool":
      return "boolean";
    // The type json keeps line breaks and is therefore text.
    case "jsonb":
      return "json";
    case "timestamp with time zone":
    case "timestamptz":
      return "time";
    default:
      return "text";
  }
}
