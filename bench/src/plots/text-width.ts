/** Average width of a character of the plots' text, in the plots' units. Nothing here can measure text exactly. */
const CHARACTER = 7;

/** About how wide a text is drawn. */
export function textWidth(text: string): number {
  return [...text].length * CHARACTER;
}

/** Breaks a text at spaces into lines of at most about `width`; a longer word gets its own line. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && textWidth(`${last} ${word}`) <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
