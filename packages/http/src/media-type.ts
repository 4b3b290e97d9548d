const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const ESSENCE = new RegExp(`^(${TOKEN}/${TOKEN})[ \\t]*(?=;|$)`);
const PARAMETER = new RegExp(
  `;[ \\t]*(?:(${TOKEN})=(?:(${TOKEN})|"((?:[^"\\\\]|\\\\.)*)")[ \\t]*)?(?=;|$)`,
  "y",
);

/** A media type with its parameters (RFC 9110, section 8.3). */
export interface MediaType {
  /** Type and subtype in lower case, such as `application/json`. */
  readonly essence: string;
  /** By their names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Parses a `Content-Type`. Undefined if it is invalid or repeats a parameter, which is ambiguous. */
export function readMediaType(header: string): MediaType | undefined {
  const text = header.trim();
  const found = ESSENCE.exec(text);
  const essence = found?.[1];
  if (found === null || essence === undefined) return undefined;
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = found[0].length;
  while (PARAMETER.lastIndex < text.length) {
    const parameter = PARAMETER.exec(text);
    if (parameter === null) return undefined;
    const [, name, token, quoted] = parameter;
    // An empty parameter is allowed and has no meaning.
    if (name === undefined) continue;
    if (parameters.has(name.toLowerCase())) return undefined;
    parameters.set(name.toLowerCase(), token ?? quoted?.replace(/\\(.)/g, "$1") ?? "");
  }
  return { essence: essence.toLowerCase(), parameters };
}

/** True if the media type names UTF-8 or no charset. */
export function isUtf8({ parameters }: MediaType): boolean {
  return /^utf-?8$/i.test(parameters.get("charset") ?? "utf-8");
}
