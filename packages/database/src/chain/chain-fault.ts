/** The kind of a {@link ChainFault}. */
export type ChainFaultKind =
  /** The stored events of a block are fewer than were appended. */
  | "events-missing"
  /** They are more. */
  | "events-added"
  /** They are as many, with other content. */
  | "events-changed"
  /** A chunk of events was dropped. */
  | "chunk-missing"
  /** A chunk has not as many events as the chain, in a place where no block looks for them. */
  | "chunk-differs"
  /** A block of the chain was removed. */
  | "block-missing"
  /** A block does not follow from the one before it. */
  | "block-changed"
  /** Events were removed as purged, and the log does not record that purge. */
  | "purge-unrecorded"
  /** A chunk was dropped as archived, and the log does not record that, or other events are noted as its own. */
  | "archive-unrecorded"
  /** The chain does not have the block that was expected, or has another one in its place. */
  | "head-differs";

/** A difference between the log and its hash chain. */
export interface ChainFault {
  readonly kind: ChainFaultKind;
  /** One sentence, for people. */
  readonly message: string;
  /** The block, and the events after `afterPosition` up to `upTo`; absent for chunks. */
  readonly block?: number;
  readonly afterPosition?: number;
  readonly upTo?: number;
  /** The bounds of the events' timestamps, RFC 3339. */
  readonly from?: string;
  readonly to?: string;
  readonly chunk?: string;
  /** Numbers of events: by the append log or the chain, and in the table. */
  readonly expected?: number;
  readonly found?: number;
}

/** A block as it is known elsewhere: its number and its hash in hexadecimal digits. */
export interface ChainHead {
  readonly block: number;
  readonly hash: string;
}
