import { randomUUID } from "node:crypto";
import { seedCatalogue } from "@synap/types";
import { sql as statement } from "drizzle-orm";
import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { describe, expect, it } from "vitest";
import { describeOnEveryEngine, serverUrl } from "../../testing/index.ts";
import {
  OptimisticLockError,
  type Transaction,
  transactionFromDrizzle,
  transactionFromPostgres,
} from "../index.ts";
import { createEventStore, schema } from "../internal.ts";

/** Runs work in a transaction that the application opened with its own driver. */
type InTransaction = (work: (transaction: Transaction) => Promise<void>) => Promise<unknown>;

describeOnEveryEngine("an append inside the application's own transaction", (engine) => {
  const open = () => createEventStore({ database: engine.database, catalogue: seedCatalogue });
  const note = () => ({ id: randomUUID(), type: "note.creation.requested", data: { content: "Call Acme" } });

  const withClient = async (work: (client: postgres.Sql) => Promise<unknown>) => {
    const client = postgres(serverUrl(engine.testDatabase), { max: 1, onnotice: () => {} });
    await work(client).finally(() => client.end());
  };
  const drivers: [string, InTransaction][] = [
    [
      "drizzle on the store's own connections",
      (work) => engine.database.orm.transaction((tx) => work(transactionFromDrizzle(tx))),
    ],
  ];
  if (engine.engine === "server") {
    drivers.push(
      [
        "drizzle on a separate connection",
        (work) =>
          withClient((client) => drizzle(client).transaction((tx) => work(transactionFromDrizzle(tx)))),
      ],
      [
        "postgres.js",
        (work) => withClient((client) => client.begin((tx) => work(transactionFromPostgres(tx)))),
      ],
    );
  }

  describe.each(drivers)("of %s", (_name, inTransaction) => {
    it("is stored when that commits, with the usual outcome", async () => {
      const stream = { aggregateType: "note", aggregateId: randomUUID() };
      const events = [note(), note()];
      await inTransaction(async (transaction) => {
        const result = await open().appendToStream(stream, "no-stream", events, { transaction });
        expect(result).toMatchObject({
          streamVersion: 2,
          events: [{ streamVersion: 1 }, { streamVersion: 2 }],
        });
        const read = [];
        for await (const event of open().readStream(stream, { transaction })) read.push(event);
        expect(read).toMatchObject(
          events.map(({ id, data }) => ({ id, data, timestamp: expect.any(String) })),
        );
        await transaction.orm.insert(schema.checkpoints).values({ handler: stream.aggregateId, position: 7 });
      });
      expect(await open().getStream(stream)).toEqual({ streamVersion: 2 });
      const [checkpoint] = await engine.database.query<{ position: number }>(
        'SELECT "position" FROM synap.checkpoints WHERE handler = $1',
        [stream.aggregateId],
      );
      expect(checkpoint).toEqual({ position: 7 });
    });

    it("is not stored when that rolls back", async () => {
      const stream = { aggregateType: "note", aggregateId: randomUUID() };
      const undone = inTransaction(async (transaction) => {
        await open().appendToStream(stream, "no-stream", [note()], { transaction });
        throw new Error("changed my mind");
      });
      await expect(undone).rejects.toThrow("changed my mind");
      expect(await open().getStream(stream)).toBeUndefined();
    });

    it("does not end that by any statement", async () => {
      const stream = { aggregateType: "note", aggregateId: randomUUID() };
      const undone = inTransaction(async (transaction) => {
        await open().appendToStream(stream, "no-stream", [note()], { transaction });
        for (const attack of [
          () => transaction.query("COMMIT"),
          () => transaction.query("SELECT 1; COMMIT"),
          () => transaction.execute("SELECT 1; /* now */ COMMIT; BEGIN"),
          async () => transaction.orm.execute("COMMIT AND CHAIN"),
          () => transaction.savepoint((savepoint) => savepoint.execute("ROLLBACK")),
        ]) {
          await expect(attack()).rejects.toMatchObject({ code: "TRANSACTION_CONTROL" });
        }
        throw new Error("changed my mind");
      });
      await expect(undone).rejects.toThrow("changed my mind");
      expect(await open().getStream(stream)).toBeUndefined();
    });

    const endings = [
      "COMMIT",
      "COMMIT; BEGIN",
      "ROLLBACK; BEGIN",
      "COMMIT; BEGIN; SELECT 1 / 0",
      "COMMIT; SELECT 1 / 0",
    ];
    const ways: Readonly<Record<string, (transaction: Transaction, script: string) => Promise<unknown>>> = {
      "a script": (transaction, script) => transaction.execute(script),
      "a query": (transaction, script) => transaction.query(script),
      drizzle: async (transaction, script) => transaction.orm.execute(script),
    };
    it.each(
      endings.flatMap((script) => Object.entries(ways).map(([way, run]) => [way, script, run] as const)),
    )("is never answered as stored where %s hid that it ended that: %s", async (_way, script, run) => {
      const stream = { aggregateType: "note", aggregateId: randomUUID() };
      const ended = inTransaction(async (transaction) => {
        await open().appendToStream(stream, "no-stream", [note()], { transaction });
        await transaction.execute("SET LOCAL standard_conforming_strings = off");
        await run(transaction, `SELECT 'a\\'; '; ${script}; SELECT ''`);
      });
      const error: unknown = await ended.catch((reason: unknown) => reason);
      // A driver that takes one statement at a time refuses the text, and the transaction is rolled back.
      const isRefused = /cannot insert multiple commands/.test(messagesOf(error));
      if (!isRefused) expect(error).toMatchObject({ code: "TRANSACTION_ENDED" });
      if (isRefused) expect(await open().getStream(stream)).toBeUndefined();
    });

    it("is stored where a harmless statement has a word of transactions, and keeps its rows", async () => {
      const stream = { aggregateType: "note", aggregateId: randomUUID() };
      await inTransaction(async (transaction) => {
        await open().appendToStream(stream, "no-stream", [note()], { transaction });
        const words = "SELECT CASE WHEN true THEN 'commit' END AS word";
        expect(await transaction.query(words)).toEqual([{ word: "commit" }]);
        const rows = await transaction.orm
          .select({ word: statement<string>`CASE WHEN true THEN 'a' END` })
          .from(schema.streams)
          .limit(1);
        expect(rows).toEqual([{ word: "a" }]);
      });
      expect(await open().getStream(stream)).toMatchObject({ streamVersion: 1 });
    });

    it("is refused with a typed error, after which that can continue", async () => {
      const stream = { aggregateType: "note", aggregateId: randomUUID() };
      await inTransaction(async (transaction) => {
        await open().appendToStream(stream, 0, [note()], { transaction });
        const stale = open().appendToStream(stream, 0, [note()], { transaction });
        await expect(stale).rejects.toThrow(OptimisticLockError);
        await open().appendToStream(stream, 1, [note()], { transaction });
        await open().closeStream(stream, 2, { transaction });
      });
      expect(await open().getStream(stream)).toMatchObject({
        streamVersion: 2,
        closedAt: expect.any(String),
      });
    });
  });

  it.runIf(engine.engine === "server")(
    "is rolled back by the application's own statement that fails",
    async () => {
      const stream = { aggregateType: "note", aggregateId: randomUUID() };
      const failing = withClient((client) =>
        drizzle(client).transaction(async (tx) => {
          await open().appendToStream(stream, 0, [note()], { transaction: transactionFromDrizzle(tx) });
          await tx.execute(statement`SELECT 1 / 0`);
        }),
      );
      await expect(failing).rejects.toThrow();
      expect(await open().getStream(stream)).toBeUndefined();
    },
  );
});

/** The messages of an error and its causes. */
function messagesOf(error: unknown): string {
  return error instanceof Error ? `${error.message} ${messagesOf(error.cause)}` : "";
}
