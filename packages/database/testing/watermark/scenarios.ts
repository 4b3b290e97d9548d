import { setTimeout as sleep } from "node:timers/promises";
import type { Database, EventStore, Transaction } from "../../src/index.ts";
import { noteEvent } from "../test-events.ts";

/** A store on a server, where several connections append and read. */
export interface World {
  readonly database: Database;
  /** The same database as its owner, who may execute the steps of an append one by one. */
  readonly owner: Database;
  readonly store: EventStore;
}

/** Committed events by position, and the events of a reader that saves only its checkpoint. */
export interface ReadingReport {
  readonly committed: readonly number[];
  readonly read: readonly number[];
}

/** Returns the events that the reader missed. */
export function lostIn({ committed, read }: ReadingReport): number[] {
  const seen = new Set(read);
  return committed.filter((position) => !seen.has(position));
}

/** A reader that saves only its position. */
class Reader {
  readonly read: number[] = [];
  readonly #store: EventStore;
  #after: number;

  constructor(store: EventStore, after: number) {
    this.#store = store;
    this.#after = after;
  }

  async readToEnd(limit = 100): Promise<void> {
    for (let caughtUp = false; !caughtUp; ) {
      const page = await this.#store.readAll({ after: this.#after, limit });
      this.read.push(...page.events.map((event) => event.position));
      this.#after = page.position;
      caughtUp = page.caughtUp;
    }
  }
}

/** Appends one event, in an open transaction or in a new one, and returns its position. */
export async function append(store: EventStore, transaction?: Transaction): Promise<number> {
  const outcome = await store.append(noteEvent(), { transaction });
  if (outcome.status !== "stored") throw new Error(`not stored: ${outcome.status}`);
  return outcome.position;
}

/** Runs `first` in a transaction, `during` while it is open, then `last` in it, and commits. */
async function whileOpen(
  { database }: World,
  first: (transaction: Transaction) => Promise<void>,
  during: () => Promise<void>,
  last: (transaction: Transaction) => Promise<void> = async () => {},
): Promise<void> {
  await database.transaction(async (transaction) => {
    await first(transaction);
    await during();
    await last(transaction);
  });
}

async function report(
  world: World,
  play: (reader: Reader, committed: number[]) => Promise<void>,
): Promise<ReadingReport> {
  const reader = new Reader(world.store, await append(world.store));
  await reader.readToEnd();
  const committed: number[] = [];
  await play(reader, committed);
  await reader.readToEnd();
  return { committed: committed.sort((one, other) => one - other), read: reader.read };
}

/** Interleavings in which a reader without the watermark loses events. */
export const LOSING_SCENARIOS: readonly (readonly [string, (world: World) => Promise<ReadingReport>])[] = [
  [
    "a later number is committed first",
    (world) =>
      report(world, (reader, committed) =>
        whileOpen(
          world,
          async (open) => void committed.push(await append(world.store, open)),
          async () => {
            committed.push(await append(world.store));
            await reader.readToEnd();
          },
        ),
      ),
  ],
  [
    "the transaction appends late, long after it began to write",
    (world) =>
      report(world, (reader, committed) =>
        whileOpen(
          world,
          async (open) => {
            await open.query(
              'INSERT INTO synap.checkpoints (handler, "position") VALUES (gen_random_uuid()::text, 1)',
            );
            committed.push(await append(world.store));
            await reader.readToEnd();
            committed.push(await append(world.store, open));
          },
          async () => {
            committed.push(await append(world.store));
            await reader.readToEnd();
          },
        ),
      ),
  ],
  [
    "a transaction appends twice, and others append in between",
    (world) =>
      report(world, (reader, committed) =>
        whileOpen(
          world,
          async (open) => void committed.push(await append(world.store, open)),
          async () => {
            committed.push(await append(world.store));
            await reader.readToEnd();
          },
          async (open) => {
            committed.push(await append(world.store, open));
            committed.push(await append(world.store));
            await reader.readToEnd();
          },
        ),
      ),
  ],
  [
    "a savepoint is rolled back, which releases its lock, and the same transaction appends again",
    (world) =>
      report(world, (reader, committed) =>
        whileOpen(
          world,
          async (open) => {
            const undone = open.savepoint(async (savepoint) => {
              await append(world.store, savepoint);
              throw new Error("only this");
            });
            await undone.catch(() => {});
            committed.push(await append(world.store));
            await reader.readToEnd();
            committed.push(await append(world.store, open));
          },
          async () => {
            committed.push(await append(world.store));
            await reader.readToEnd();
          },
        ),
      ),
  ],
  [
    "three transactions commit in the opposite order of their numbers",
    (world) =>
      report(world, (reader, committed) =>
        whileOpen(
          world,
          async (open) => void committed.push(await append(world.store, open)),
          () =>
            whileOpen(
              world,
              async (open) => void committed.push(await append(world.store, open)),
              async () => {
                committed.push(await append(world.store));
                await reader.readToEnd();
              },
            ).then(() => reader.readToEnd()),
        ),
      ),
  ],
];

/** Runs writers that pause at random, append several times and roll back in part or completely, with a concurrent reader. */
export function randomWriters(world: World, rounds: number): Promise<ReadingReport> {
  return report(world, async (reader, committed) => {
    const pause = () => sleep(Math.random() * 8);
    let writing = true;
    const writer = async () => {
      for (let round = 0; round < rounds; round += 1) committed.push(...(await writeOnce(world, pause)));
    };
    const reading = (async () => {
      while (writing) await reader.readToEnd(5);
    })();
    await Promise.all([1, 2, 3, 4].map(writer));
    writing = false;
    await reading;
  });
}

async function writeOnce({ database, store }: World, pause: () => Promise<void>): Promise<number[]> {
  const mine: number[] = [];
  try {
    await database.transaction(async (transaction) => {
      if (Math.random() < 0.3) await pause();
      mine.push(await append(store, transaction));
      await pause();
      if (Math.random() < 0.3) {
        const undone = transaction.savepoint(async (savepoint) => {
          await append(store, savepoint);
          throw new Error("undone");
        });
        await undone.catch(() => {});
        await pause();
      }
      if (Math.random() < 0.4) mine.push(await append(store, transaction));
      if (Math.random() < 0.2) throw new Error("rolled back");
    });
    return mine;
  } catch (error) {
    if (error instanceof Error && error.message === "rolled back") return [];
    throw error;
  }
}
