/** The name of a stream: the events of one thing, in order. */
export interface StreamName {
  /** The kind of thing: one lower case segment, for example `note`. */
  readonly aggregateType: string;
  /** Which one: 1 to 128 characters. */
  readonly aggregateId: string;
}

/**
 * The version that a stream must have before the append. `any`: whichever, it never conflicts. `no-stream`: it has no
 * events. `stream-exists`: it has some. A number: exactly this version; 0 means the same as `no-stream`.
 */
export type ExpectedVersion = "any" | "no-stream" | "stream-exists" | number;

/**
 * A stream as the key of a map. Neither half holds a NUL, so no two streams share a key, and keys sort as the pairs do. The
 * segments of projections are computed from it: changing it would change the segment of every stream.
 */
export function streamKey({ aggregateType, aggregateId }: StreamName): string {
  return `${aggregateType}\0${aggregateId}`;
}
