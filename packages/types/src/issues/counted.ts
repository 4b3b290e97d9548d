/** A whole number with thousands separated: 1,234,567. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/**
 * A number of things: "1 stream", "1,234 streams".
 *
 * @param one the thing, with a verb if need be: "event waits"
 * @param many several of them. Default: `one` with an s
 */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}
