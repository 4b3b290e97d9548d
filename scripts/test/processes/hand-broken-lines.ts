/**
 * Lines of a help page that end although the next word fits: somebody broke them by hand. A line that begins at the left is text, and
 * one that is indented by more than ten characters continues a row of a list.
 */
export function handBrokenLines(lines: readonly string[], width: number): string[] {
  return lines.filter((line, index) => {
    const next = lines[index + 1] ?? "";
    const indent = next.length - next.trimStart().length;
    const continues = next !== "" && line !== "" && (indent === 0 ? /^\S/.test(line) : indent > 10);
    const word = next.trimStart().split(" ")[0] ?? "";
    return continues && line.length + 1 + word.length <= width;
  });
}
