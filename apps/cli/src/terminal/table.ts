/** A column of a table. */
export interface Column {
  readonly title: string;
  /** Alignment; right for numbers. Default: left. */
  readonly align?: "left" | "right";
}

/** Maximum width of output for people, in characters. */
export const WIDTH = 100;

const GAP = "  ";
const NARROWEST = 8;

/**
 * Makes text safe for one line of a terminal: control characters in data must not move the cursor or change colours.
 */
export function plain(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll(/\p{Cc}|\p{Cf}/gu, "\ufffd");
}

/** Cuts text to a number of characters. */
export function cut(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, Math.max(0, width - 1)).join("")}…`;
}

/**
 * Formats rows under their titles as lines of at most `width` characters. The widest column is cut if they don't fit.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = WIDTH,
): string {
  const cells = rows.map((row) => columns.map((_, index) => plain(row[index] ?? "")));
  const widths = columns.map(({ title }, index) =>
    cells.reduce((widest, row) => Math.max(widest, [...(row[index] ?? "")].length), title.length),
  );
  for (let over = total(widths) - width; over > 0; over -= 1) {
    const widest = widths.indexOf(Math.max(...widths));
    const current = widths[widest] ?? 0;
    if (current <= NARROWEST) break;
    widths[widest] = current - 1;
  }
  const line = (row: readonly string[]) =>
    columns
      .map(({ align }, index) => pad(cut(row[index] ?? "", widths[index] ?? 0), widths[index] ?? 0, align))
      .join(GAP)
      .trimEnd();
  return [line(columns.map(({ title }) => title)), ...cells.map(line)].join("\n");
}

/** Rows of one table of {@link formatTables}. */
const ROWS = 1_000;

/**
 * Formats any number of rows as tables of at most 1,000, each as soon as its rows are there. Each has its own widths; without rows there
 * is one, with the titles alone.
 */
export async function* formatTables(
  columns: readonly Column[],
  rows: AsyncIterable<readonly string[]>,
  width = WIDTH,
): AsyncGenerator<string, void, void> {
  let table: (readonly string[])[] = [];
  let tables = 0;
  for await (const row of rows) {
    table.push(row);
    if (table.length < ROWS) continue;
    yield formatTable(columns, table, width);
    table = [];
    tables += 1;
  }
  if (table.length > 0 || tables === 0) yield formatTable(columns, table, width);
}

/** Formats names and values, a line each. A value may have several lines. */
export function formatFields(fields: readonly (readonly [string, string | undefined])[]): string {
  const given = fields.filter((field): field is readonly [string, string] => field[1] !== undefined);
  const width = Math.max(...given.map(([name]) => name.length)) + GAP.length;
  return given
    .map(([name, value]) => `${name.padEnd(width)}${value.replaceAll("\n", `\n${" ".repeat(width)}`)}`)
    .join("\n");
}

/** Formats a value as JSON without control characters. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replaceAll(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, each) => sum + each, GAP.length * (widths.length - 1));
}

function pad(text: string, width: number, align: Column["align"]): string {
  const space = " ".repeat(Math.max(0, width - [...text].length));
  return align === "right" ? space + text : text + space;
}
