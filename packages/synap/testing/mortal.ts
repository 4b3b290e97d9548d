/** For tests that end a process between any two steps of a sink. */

import type { Database, SqlParameter, Transaction } from "@synap/database";
import type { Sink, SinkConnection } from "@synap/handlers";

/** A process that ends at one of its steps: a call of the database or of the destination. */
export interface MortalProcess {
  readonly database: Database;
  readonly isDead: boolean;
  /** Number of steps so far. */
  readonly steps: number;
  sink(sink: Sink): Sink;
}

/**
 * Makes a process that ends at its step of this number, before the call or after it: the call has its effect then, and nobody gets the
 * answer. Every later call fails.
 */
export function mortalProcess(database: Database, diesAt: number, when: "before" | "after"): MortalProcess {
  let steps = 0;
  let isDead = false;
  const step = async <Result>(call: () => Promise<Result>): Promise<Result> => {
    if (isDead) throw new Error("The process has ended.");
    steps += 1;
    const isLast = steps === diesAt;
    if (isLast) isDead = true;
    if (isLast && when === "before") throw new Error("The process ends.");
    const result = await call();
    if (isLast) throw new Error("The process ends.");
    return result;
  };
  const query = <Row extends object>(text: string, parameters?: readonly SqlParameter[]) =>
    step(() => database.query<Row>(text, parameters));
  const transaction = <Result>(work: (transaction: Transaction) => Promise<Result>) =>
    step(() =>
      database.transaction(async (real) => {
        const inner: Transaction = Object.create(real, {
          query: {
            value: (text: string, parameters?: readonly SqlParameter[]) => {
              if (isDead && steps !== diesAt) throw new Error("The process has ended.");
              return real.query(text, parameters);
            },
          },
        });
        return work(inner);
      }),
    );
  const sessions = { query, transaction };
  const mortal: Database = Object.create(database, {
    query: { value: query },
    transaction: { value: transaction },
    reads: { value: sessions },
    writes: { value: sessions },
  });
  return {
    database: mortal,
    get isDead() {
      return isDead;
    },
    get steps() {
      return steps;
    },
    sink: (sink) => ({
      ...sink,
      open: async (signal) => {
        let opened: SinkConnection | undefined;
        try {
          return await step(async () => {
            opened = await sink.open(signal);
            return mortalConnection(opened, step);
          });
        } catch (error) {
          // The sockets of a process end with it.
          await opened?.close();
          throw error;
        }
      },
    }),
  };
}

function mortalConnection(
  connection: SinkConnection,
  step: <Result>(call: () => Promise<Result>) => Promise<Result>,
): SinkConnection {
  return {
    checkpoint: () => step(() => connection.checkpoint()),
    apply: (events, range) => step(() => connection.apply(events, range)),
    close: () => connection.close(),
  };
}
