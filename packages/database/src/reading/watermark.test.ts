import { setTimeout as sleep } from "node:timers/promises";
import { seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase, testEngines } from "../../testing/index.ts";
import { noteEvent } from "../../testing/test-events.ts";
import { createEventStore, type EventStore, type Transaction } from "../index.ts";

// Only a server has several connections; the embedded engine runs one transaction after the other.
describe.runIf(testEngines().includes("server"))(
  "the watermark, step by step through several connections",
  () => {
    let test: TestDatabase;
    let store: EventStore;
    beforeAll(async () => {
      test = await createTestDatabase("server");
      store = createEventStore({ database: test.database, catalogue: seedCatalogue });
    });
    afterAll(() => test.drop());

    const append = async (transaction?: Transaction): Promise<number> => {
      const outcome = await store.append(noteEvent(), { transaction });
      if (outcome.status !== "stored") throw new Error(`not stored: ${outcome.status}`);
      return outcome.position;
    };
    const readAfter = async (after: number) => {
      const page = await store.readAll({ after, limit: 100 });
      return { positions: page.events.map((event) => event.position), checkpoint: page.position };
    };

    it("holds back what was committed while a lower number is still open", async () => {
      const start = await append();
      const slow = deferred<void>();
      const appended = deferred<number>();
      const first = test.database.transaction(async (transaction) => {
        appended.resolve(await append(transaction));
        await slow.promise;
      });
      const lower = await appended.promise;
      const higher = await append();
      expect(higher).toBeGreaterThan(lower);
      const early = await readAfter(start);
      expect(early.positions).toEqual([]);
      expect(early.checkpoint).toBeLessThan(lower);

      slow.resolve();
      await first;
      expect((await readAfter(early.checkpoint)).positions).toEqual([lower, higher]);
    });

    it("misses nothing when the commit falls between the reader's steps", async () => {
      const start = await append();
      const slow = deferred<void>();
      const appended = deferred<number>();
      const first = test.database.transaction(async (transaction) => {
        appended.resolve(await append(transaction));
        await slow.promise;
      });
      const position = await appended.promise;
      // The reader's own statements, one at a time: the number, then (after the commit) the locks, then the events.
      const [sequence] = await test.database.query<{ high: number }>(
        "SELECT last_value AS high FROM synap.append_sequence",
      );
      slow.resolve();
      await first;
      const [after] = await test.database.query<{ watermark: number }>(
        "SELECT synap.append_watermark() AS watermark",
      );
      expect(sequence?.high).toBe(position >> 10);
      expect(after?.watermark).toBe(sequence?.high);
      expect((await readAfter(start)).positions).toEqual([position]);
    });

    it("goes past a number whose transaction was rolled back", async () => {
      const start = await append();
      const slow = deferred<never>();
      const appended = deferred<number>();
      const lost = test.database.transaction(async (transaction) => {
        appended.resolve(await append(transaction));
        await slow.promise;
      });
      await appended.promise;
      const kept = await append();
      expect((await readAfter(start)).positions).toEqual([]);
      slow.reject(new Error("changed my mind"));
      await expect(lost).rejects.toThrow("changed my mind");
      expect((await readAfter(start)).positions).toEqual([kept]);
    });

    it("is released by a savepoint's rollback, and guards the same transaction's next append again", async () => {
      const start = await append();
      const [undone, next, end] = [1, 2, 3].map(() => deferred<void>());
      const appended = deferred<number>();
      const transaction = test.database.transaction(async (open) => {
        const failing = open.savepoint(async (savepoint) => {
          await append(savepoint);
          throw new Error("only this");
        });
        await failing.catch(() => {});
        undone?.resolve();
        await next?.promise;
        appended.resolve(await append(open));
        await end?.promise;
      });
      await undone?.promise;
      const between = await append();
      const first = await readAfter(start);
      expect(first.positions).toEqual([between]);

      next?.resolve();
      const lower = await appended.promise;
      const higher = await append();
      expect((await readAfter(first.checkpoint)).positions).toEqual([]);
      end?.resolve();
      await transaction;
      expect((await readAfter(first.checkpoint)).positions).toEqual([lower, higher]);
    });

    it("is not held back by a transaction that writes but has not appended, nor missed when it appends late", async () => {
      const start = await append();
      const writing = deferred<void>();
      const late = deferred<void>();
      const appended = deferred<number>();
      const transaction = test.database.transaction(async (open) => {
        await open.query(
          "INSERT INTO synap.checkpoints (handler, \"position\") VALUES ('old transaction', 1)",
        );
        writing.resolve();
        await late.promise;
        appended.resolve(await append(open));
      });
      await writing.promise;
      const meanwhile = await append();
      const first = await readAfter(start);
      expect(first.positions).toEqual([meanwhile]);
      late.resolve();
      await transaction;
      expect((await readAfter(first.checkpoint)).positions).toEqual([await appended.promise]);
    });

    it("costs one lock however often a transaction appends", async () => {
      await test.database.transaction(async (transaction) => {
        for (let count = 0; count < 5; count += 1) await append(transaction);
        const locks = await transaction.query(
          "SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND objsubid = 1",
        );
        expect(locks).toHaveLength(1);
      });
    });

    it("refuses to be asked where an old snapshot would belie it", async () => {
      const asking = test.database.transaction(async (transaction) => {
        await transaction.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
        await store.readAll({ after: 0, limit: 1, transaction });
      });
      await expect(asking).rejects.toMatchObject({ code: "SY005" });
    });

    it("lets a reader miss and repeat nothing among writers that pause, roll back and append several times", async () => {
      let last = (await readAfter(await append())).checkpoint;
      const committed: number[] = [];
      const read: number[] = [];
      let writing = true;
      const pause = () => sleep(Math.random() * 8);
      const writer = async () => {
        const until = Date.now() + 1500;
        while (Date.now() < until) {
          const mine: number[] = [];
          try {
            await test.database.transaction(async (transaction) => {
              if (Math.random() < 0.3) await pause();
              mine.push(await append(transaction));
              await pause();
              if (Math.random() < 0.3) {
                const undone = transaction.savepoint(async (savepoint) => {
                  await append(savepoint);
                  throw new Error("undone");
                });
                await undone.catch(() => {});
                await pause();
              }
              if (Math.random() < 0.4) mine.push(await append(transaction));
              if (Math.random() < 0.2) throw new Error("rolled back");
            });
            committed.push(...mine);
          } catch (error) {
            if (!(error instanceof Error && error.message === "rolled back")) throw error;
          }
        }
      };
      const reader = async () => {
        for (let again = true; again; ) {
          const isLast = !writing;
          const page = await store.readAll({ after: last, limit: 5 });
          read.push(...page.events.map((event) => event.position));
          last = page.position;
          again = !isLast || !page.caughtUp;
        }
      };
      const reading = reader();
      await Promise.all([1, 2, 3, 4].map(writer));
      writing = false;
      await reading;
      expect(read).toEqual(committed.sort((a, b) => a - b));
      expect(read.length).toBeGreaterThan(50);
    });
  },
);

/** A promise that the test settles when it is time. */
function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
