/** HTML or SVG that is safe to put into a page. Made by `markup` alone. */
export interface Markup {
  readonly source: string;
}

/** Value allowed in a template: text and numbers are escaped, undefined is left out, lists follow each other. */
export type MarkupPart = Markup | string | number | undefined | readonly MarkupPart[];

/**
 * Writes HTML or SVG as a tagged template. Everything put into it is escaped, in text and in quoted attributes, unless
 * it is markup itself; so no name of a figure can break the page.
 */
export function markup(template: TemplateStringsArray, ...parts: readonly MarkupPart[]): Markup {
  const source = template.map((text, index) => text + (index < parts.length ? sourceOf(parts[index]) : ""));
  return { source: source.join("") };
}

function sourceOf(part: MarkupPart): string {
  if (part === undefined) return "";
  if (typeof part === "number") return String(Math.round(part * 100) / 100);
  if (typeof part === "string") return escaped(part);
  return "source" in part ? part.source : part.map(sourceOf).join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
