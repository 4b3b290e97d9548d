import type { Transaction } from "@synap/database";
import { listDeadLetters } from "@synap/database/internal";
import { describeOnEveryEngine } from "@synap/database/testing";
import { createSynapEvent, seedCatalogue } from "@synap/types";
import { beforeAll, expect, it } from "vitest";
import { catchUpFully } from "../../testing/handler-scenario.ts";
import { beginNow, createSeenTable, seeing, seenBy } from "../../testing/seen-events.ts";
import { EventDispatcher } from "../engine/event-dispatcher.ts";
import type { InlineFailurePolicy } from "./inline-handlers.ts";

const noteOf = (content: string) => createSynapEvent({ type: "note.creation.completed", data: { content } });

/** Every way in which a handler reaches SQL. */
const ATTACKS: Readonly<Record<string, (transaction: Transaction) => Promise<unknown>>> = {
  "COMMIT as a statement": (transaction) => transaction.query("COMMIT"),
  "ROLLBACK as a statement": (transaction) => transaction.query("/* a */ rollback"),
  "COMMIT in a script": (transaction) => transaction.execute("SELECT ';'; COMMIT; BEGIN"),
  "ROLLBACK AND CHAIN": (transaction) => transaction.execute("ROLLBACK AND CHAIN"),
  "the savepoint of the engine": (transaction) => transaction.execute("RELEASE SAVEPOINT synap_1"),
  "two-phase commit": (transaction) => transaction.query("PREPARE TRANSACTION 'stolen'"),
  drizzle: async (transaction) => transaction.orm.execute("COMMIT"),
  "drizzle in a savepoint": (transaction) =>
    transaction.savepoint(async (savepoint) => savepoint.orm.execute("COMMIT")),
  "what it catches": (transaction) => transaction.query("COMMIT").catch(() => {}),
  "a block that commits": (transaction) => transaction.execute("DO $$ BEGIN COMMIT; END $$"),
};

describeOnEveryEngine("a handler that ends its transaction", (engine) => {
  beforeAll(() => createSeenTable(engine.database));

  let names = 0;
  function attacking(
    mode: "inline" | "async",
    attack: (typeof ATTACKS)[string],
    policy: InlineFailurePolicy,
  ) {
    names += 1;
    const handler = seeing(`ends-${names}`, {
      mode,
      afterwards: async (events, { transaction }) => {
        if (events.some((event) => event.data["content"] === "bad")) await attack(transaction);
      },
    });
    const dispatcher = new EventDispatcher({
      database: engine.database,
      catalogue: seedCatalogue,
      handlers: [handler],
      onInlineFailure: policy,
      maxAttempts: 1,
    });
    return { handler: handler.name, dispatcher, store: dispatcher.store };
  }
  const code = (what: string) => (what === "a block that commits" ? "sqlstate-2d000" : "transaction-control");

  for (const mode of ["inline", "async"] as const) {
    it.each(Object.keys(ATTACKS))(`(${mode}) fails on that event alone: %s`, async (what) => {
      const attack = ATTACKS[what];
      if (attack === undefined) throw new Error(what);
      const { handler, dispatcher, store } = attacking(mode, attack, "dead-letter");
      if (mode === "async") await beginNow(engine.database, handler);
      const events = ["good", "bad", "last"].map(noteOf);
      const outcomes = await store.appendBatch(events);
      expect(outcomes.map(({ status }) => status)).toEqual(["stored", "stored", "stored"]);
      if (mode === "async") await catchUpFully(dispatcher, handler);
      expect(await listDeadLetters(engine.database, { handler })).toMatchObject([
        { eventId: events[1]?.id, code: code(what) },
      ]);
      expect(await seenBy(engine.database, handler)).toEqual([events[0]?.id, events[2]?.id]);
    });
  }

  it.each(Object.keys(ATTACKS))("refuses the command and stores nothing: %s", async (what) => {
    const attack = ATTACKS[what];
    if (attack === undefined) throw new Error(what);
    const { handler, store } = attacking("inline", attack, "reject");
    const event = noteOf("bad");
    await expect(store.append(event)).rejects.toMatchObject({ code: "INLINE_HANDLER_FAILED", handler });
    expect(await store.getById(event.id)).toBeUndefined();
  });

  /** With this setting a backslash can hide the end of a string from a parser of standard SQL. */
  const disguised = async (transaction: Transaction, script: string) => {
    await transaction.execute("SET LOCAL standard_conforming_strings = off");
    await transaction.execute(`SELECT 'a\\'; '; ${script}; SELECT ''`);
  };

  it.each(["COMMIT", "COMMIT; BEGIN", "COMMIT AND CHAIN", "COMMIT; BEGIN; SELECT 1 / 0", "ROLLBACK; BEGIN"])(
    "(inline) never hides it, however it is disguised: %s",
    async (script) => {
      for (const policy of ["dead-letter", "reject"] as const) {
        const { handler, store } = attacking(
          "inline",
          (transaction) => disguised(transaction, script),
          policy,
        );
        const event = noteOf("bad");
        const error: unknown = await store.append(event).catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: "TRANSACTION_ENDED", handler });
        expect(await listDeadLetters(engine.database, { handler })).toEqual([]);
        // As the error advises, the event is sent again.
        const { store: other } = attacking("inline", async () => {}, policy);
        const isStored = script.startsWith("COMMIT");
        expect((await other.append(event)).status).toBe(isStored ? "duplicate" : "stored");
      }
    },
  );

  it.each(["COMMIT; BEGIN", "ROLLBACK; BEGIN"])(
    "(inline) never hides it behind savepoints with the engine's names: %s",
    async (script) => {
      const forged = Array.from({ length: 9 }, (_, index) => `SAVEPOINT synap_${index}`).join("; ");
      const { store } = attacking(
        "inline",
        (transaction) => disguised(transaction, `${script}; ${forged}`),
        "dead-letter",
      );
      await expect(store.append(noteOf("bad"))).rejects.toMatchObject({ code: "TRANSACTION_ENDED" });
    },
  );

  it.each(["COMMIT", "COMMIT; BEGIN", "ROLLBACK; BEGIN", "ROLLBACK AND CHAIN"])(
    "(async) never moves on past an event whose handler did it: %s",
    async (script) => {
      const { handler, dispatcher, store } = attacking(
        "async",
        (transaction) => disguised(transaction, script),
        "dead-letter",
      );
      await beginNow(engine.database, handler);
      await store.append(noteOf("bad"));
      await expect(catchUpFully(dispatcher, handler)).rejects.toThrow(/ended the transaction/);
    },
  );

  it("is detected in a transaction without savepoints too", async () => {
    for (const script of ["COMMIT", "COMMIT; BEGIN", "ROLLBACK AND CHAIN", "COMMIT; BEGIN; SELECT 1 / 0"]) {
      const work = engine.database.transaction((transaction) => disguised(transaction, script));
      await expect(work).rejects.toMatchObject({ code: "TRANSACTION_ENDED" });
    }
    const many = engine.database.transaction((transaction) =>
      Promise.all(Array.from({ length: 5 }, () => transaction.query("SELECT 1"))),
    );
    await expect(many).resolves.toHaveLength(5);
  });

  it("runs a script that only contains such words", async () => {
    const script = "SELECT CASE WHEN true THEN 'commit' END; SELECT 'BEGIN'";
    await engine.database.transaction((transaction) => transaction.execute(script));
    const failing = engine.database.transaction((transaction) =>
      transaction.execute(`${script}; SELECT 1 / 0`),
    );
    await expect(failing).rejects.toThrow("division by zero");
  });

  it.each(["SELECT 1; COMMIT", "ROLLBACK; BEGIN"])(
    "is refused in a transaction of the application too: %s",
    async (script) => {
      const [event] = [noteOf("a")];
      const { store } = attacking("inline", async () => {}, "reject");
      const work = engine.database.transaction(async (transaction) => {
        await store.append(event, { transaction });
        await transaction.execute(script);
      });
      await expect(work).rejects.toMatchObject({ code: "TRANSACTION_CONTROL" });
      expect(await store.getById(event.id)).toBeUndefined();
    },
  );
});
