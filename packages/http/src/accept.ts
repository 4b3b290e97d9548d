import { type MediaType, readMediaType } from "./media-type.ts";

/** Media types that a header may name; the rest is not looked at. */
const MAX_RANGES = 32;

/**
 * Returns what an `Accept` header asks for, the most wanted first (RFC 9110, section 12.5.1), and of the same weight media types before
 * wildcards. Refused (`q=0`) and invalid ranges are left out.
 */
export function readAccept(header: string): readonly MediaType[] {
  return splitOutsideQuotes(header)
    .slice(0, MAX_RANGES)
    .flatMap((range) => {
      const type = readMediaType(range);
      const weight = Number(type?.parameters.get("q") ?? "1");
      return type === undefined || !(weight > 0) ? [] : [{ type, weight }];
    })
    .sort(
      (one, other) => other.weight - one.weight || Number(isRange(one.type)) - Number(isRange(other.type)),
    )
    .map(({ type }) => type);
}

function isRange({ essence }: MediaType): boolean {
  return essence.endsWith("/*");
}

/** Splits a text at the commas outside of quotes. A quote that is not closed reaches to the end, so that nothing is read twice. */
export function splitOutsideQuotes(text: string): string[] {
  return text.match(/(?:"(?:[^"\\]|\\.?)*(?:"|$)|[^,"])+/g) ?? [];
}
