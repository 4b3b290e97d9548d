import { setTimeout as sleep } from "node:timers/promises";
import { isTransient } from "@synap/database";
import type { Random } from "./random.ts";
import { Writer, type WriterWork } from "./writer.ts";
import { writerMoves } from "./writer-moves.ts";

/** Appends in every way there is, one after the other, until it is told to stop. */
export async function runWriter(work: WriterWork): Promise<void> {
  const writer = new Writer(work);
  while (!work.stop.aborted) {
    const move = pickMove(work.random);
    try {
      await move(writer);
    } catch (error) {
      // The database was away, or too slow: nobody knows what became of the attempt.
      if (!isTransient(error)) throw error;
      work.journal.write({ ended: "unknown" });
      await sleep(250);
    }
    await sleep(work.random.pause(12));
  }
}

function pickMove(random: Random) {
  let left = random.next() * writerMoves.reduce((sum, { share }) => sum + share, 0);
  for (const { share, move } of writerMoves) {
    left -= share;
    if (left < 0) return move;
  }
  return writerMoves[0].move;
}
