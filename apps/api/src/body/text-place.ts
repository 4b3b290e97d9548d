/** A place in a text as programs and as people count it: "at position 15 (line 2, column 7)". */
export function describePlace(text: string, position: number): string {
  const before = text.slice(0, position);
  const line = before.split("\n").length;
  const column = position - before.lastIndexOf("\n");
  return `at position ${position} (line ${line}, column ${column})`;
}
