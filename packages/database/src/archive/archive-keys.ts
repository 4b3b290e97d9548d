import { createHash } from "node:crypto";
import type { StreamName } from "@synap/types";

/** The kinds of keys by which archived chunks are found: of what their events are about. */
export type ArchiveKeyKind =
  | "user"
  | "correlation"
  | "causation"
  | "creator"
  | "type"
  | "aggregate"
  | "stream";

/** The hash of what events are about. As synap.archive_key. */
export function archiveKey(kind: ArchiveKeyKind, value: string): bigint {
  return createHash("sha256").update(`${kind}:${value}`).digest().readBigInt64BE(0);
}

/** The hash of a stream. */
export function streamKeyOf({ aggregateType, aggregateId }: StreamName): bigint {
  return archiveKey("stream", `${aggregateType}/${aggregateId}`);
}
