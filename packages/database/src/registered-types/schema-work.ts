import { counted } from "@synap/types/internal";
import type { SchemaIssue } from "./schema-issue.ts";

/** Maximum number of parts of a schema, each counted as often as references lead to it. */
const MAX_PARTS = 2_000;
/** Maximum number of schemas that one value may have to be tried against. */
const MAX_FORMS = 32;
/** Maximum nesting of a schema, of its JSON as well as along its references. */
export const MAX_DEPTH = 64;

/**
 * Finds what would make the validation of data long: a schema of a few lines can ask for any number of comparisons, when each of its parts refers
 * twice to the next one.
 */
export function workIssues(root: Readonly<Record<string, unknown>>): SchemaIssue | undefined {
  const definitions: object = Object(root["$defs"]);
  let parts = 0;
  const walk = (part: unknown, way: Way): SchemaIssue | undefined => {
    if (typeof part !== "object" || part === null) return undefined;
    const { path, depth, entered } = way;
    parts += 1;
    if (parts > MAX_PARTS)
      return tooLarge(
        path,
        `is one of more than ${MAX_PARTS} parts, counted as often as references lead to them`,
      );
    if (depth > MAX_DEPTH) return tooLarge(path, `is nested deeper than ${counted(MAX_DEPTH, "level")}`);
    for (const [name, inner] of Object.entries(part)) {
      const isForms = (name === "anyOf" || name === "oneOf") && Array.isArray(inner);
      const tried = isForms ? way.tried * inner.length : way.tried;
      const place = `${path}/${pointerToken(name)}`;
      if (tried > MAX_FORMS)
        return tooLarge(place, `makes more than ${counted(MAX_FORMS, "form")} to try for one value`);
      const found = walk(inner, { path: place, tried, depth: depth + 1, entered });
      if (found !== undefined) return found;
    }
    const target = definitionName(Reflect.get(part, "$ref"));
    if (target === undefined || entered.includes(target)) return undefined;
    return walk(Reflect.get(definitions, target), {
      ...way,
      depth: depth + 1,
      entered: [...entered, target],
    });
  };
  const { $defs: _, ...whole } = root;
  const found = walk(whole, { path: "", tried: 1, depth: 0, entered: [] });
  if (found !== undefined) return found;
  for (const [name, part] of Object.entries(definitions)) {
    const inside = walk(part, { path: `/$defs/${pointerToken(name)}`, tried: 1, depth: 1, entered: [name] });
    if (inside !== undefined) return inside;
  }
  return undefined;
}

interface Way {
  readonly path: string;
  /** Number of schemas that a value at this place is tried against. */
  readonly tried: number;
  readonly depth: number;
  /** The definitions around it. */
  readonly entered: readonly string[];
}

function tooLarge(path: string, reason: string): SchemaIssue {
  return { path, code: "too-large", reason };
}

/** The name of the definition that a reference leads to; undefined if it leads elsewhere. */
export function definitionName(reference: unknown): string | undefined {
  const token = typeof reference === "string" ? /^#\/\$defs\/([^/%]+)$/.exec(reference)?.[1] : undefined;
  return token?.replaceAll("~1", "/").replaceAll("~0", "~");
}

/** A name as a JSON pointer has it. */
export function pointerToken(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
