import { setTimeout as sleep } from "node:timers/promises";
import { isTransient } from "@synap/database/internal";
import { Writer, type WriterWork } from "./writer.ts";
import { writerMoves } from "./writer-moves.ts";

/** Appends in every possible way, one after the other, until the signal. */
export async function runWriter(work: WriterWork): Promise<void> {
  const writer = new Writer(work);
  while (!work.stop.aborted) {
    const { move } = work.random.pickByShare(writerMoves);
    try {
      await move(writer);
    } catch (error) {
      // The database was unavailable or too slow, so the outcome of the attempt is unknown.
      if (!isTransient(error)) throw error;
      work.journal.write({ ended: "unknown" });
      await sleep(250);
    }
    await sleep(work.random.pause(12));
  }
}
