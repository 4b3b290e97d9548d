import { createHash, type Hash } from "node:crypto";
import type { SqlSession } from "../connection/sql-session.ts";
import type { DigestedEvent } from "./event-rows.ts";

const BLOCKS = `
SELECT b.number, p.last_position AS after_position, b.last_position, encode(b.digest, 'hex') AS digest
  FROM synap.archived_blocks AS x
  JOIN synap.chain_blocks AS b ON b.number = x.number
  JOIN synap.chain_blocks AS p ON p.number = b.number - 1
 WHERE x.chunk = $1
 ORDER BY b.number`;

/** A block of the hash chain whose events are all of one archived chunk: those after a position, up to another one. */
export interface ArchivedBlock {
  readonly number: number;
  readonly after_position: number;
  readonly last_position: number;
  readonly digest: string;
}

/** Reads the blocks that are wholly of an archived chunk, in the order of positions. */
export function archivedBlocks(session: SqlSession, chunk: string): Promise<ArchivedBlock[]> {
  return session.query<ArchivedBlock>(BLOCKS, [chunk]);
}

/** Compares the events of an archived chunk, in the order of positions, with the blocks of the hash chain that are wholly of it. */
export class BlockCheck {
  readonly #blocks: readonly ArchivedBlock[];
  readonly #differing: number[] = [];
  #at = 0;
  #hash: Hash = createHash("sha256");

  constructor(blocks: readonly ArchivedBlock[]) {
    this.#blocks = blocks;
  }

  add({ position, digest }: DigestedEvent): void {
    this.#finishBefore(position);
    const block = this.#blocks[this.#at];
    // The others are of blocks that have events of other chunks too, and whose digests are in the database.
    if (block !== undefined && position > block.after_position) this.#hash.update(digest, "hex");
  }

  /** Ends it, and returns the numbers of the blocks that differ. */
  end(): readonly number[] {
    this.#finishBefore(Number.POSITIVE_INFINITY);
    return this.#differing;
  }

  #finishBefore(position: number): void {
    for (;;) {
      const block = this.#blocks[this.#at];
      if (block === undefined || position <= block.last_position) return;
      if (this.#hash.digest("hex") !== block.digest) this.#differing.push(block.number);
      this.#hash = createHash("sha256");
      this.#at += 1;
    }
  }
}
