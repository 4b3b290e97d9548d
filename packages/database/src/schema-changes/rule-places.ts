import { canonicalText, isObject } from "./json-schema.ts";

/**
 * True if rules at these places let a document pass, because an example that they let pass has the same values there, or because
 * the document has none.
 */
export function passesLike(
  document: unknown,
  pointers: readonly string[],
  examples: readonly unknown[],
): boolean {
  return pointers.every((pointer) => {
    const passed = new Set(examples.flatMap((example) => valuesAt(example, pointer)).map(canonicalText));
    return valuesAt(document, pointer).every((value) => passed.has(canonicalText(value)));
  });
}

/** The document with the example's values at these places, where it has others. */
export function withValuesOf(document: unknown, pointers: readonly string[], example: unknown): unknown {
  return pointers.reduce((changed, pointer) => {
    const [value] = valuesAt(example, pointer);
    const isThere = !pointer.includes("*") && valuesAt(changed, pointer).length > 0;
    return value === undefined || !isThere ? changed : withValue(changed, tokensOf(pointer), value);
  }, document);
}

function tokensOf(pointer: string): readonly string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The values at a place; `*` stands for any item or name. */
function valuesAt(document: unknown, pointer: string): readonly unknown[] {
  return tokensOf(pointer).reduce<readonly unknown[]>(
    (values, token) =>
      values.flatMap((value) => {
        if (typeof value !== "object" || value === null) return [];
        if (token === "*") return Object.values(value);
        return Object.hasOwn(value, token) ? [Reflect.get(value, token)] : [];
      }),
    [document],
  );
}

function withValue(document: unknown, [token, ...rest]: readonly string[], value: unknown): unknown {
  if (token === undefined) return value;
  if (Array.isArray(document))
    return document.map((item, index) => (String(index) === token ? withValue(item, rest, value) : item));
  return isObject(document) ? { ...document, [token]: withValue(document[token], rest, value) } : document;
}
