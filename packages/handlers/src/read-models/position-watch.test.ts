import { describeOnEveryEngine } from "@synap/database/testing";
import { createSynapEvent, seedCatalogue } from "@synap/types";
import { beforeAll, expect, it } from "vitest";
import { catchUpFully } from "../../testing/handler-scenario.ts";
import { createSeenTable, seeing } from "../../testing/seen-events.ts";
import { EventDispatcher } from "../engine/event-dispatcher.ts";
import type { PositionSession, WrittenModel } from "./model-position.ts";
import { createModelPositions } from "./model-positions.ts";
import { PositionNotReachedError } from "./position-watch.ts";

describeOnEveryEngine("waiting for a position", (engine) => {
  beforeAll(() => createSeenTable(engine.database));
  let made = 0;

  /** A handler that has an event to handle, and a session that counts its statements. */
  async function scenario() {
    made += 1;
    const handler = seeing(`waited-for-${made}`);
    const { database } = engine;
    const dispatcher = new EventDispatcher({ database, catalogue: seedCatalogue, handlers: [handler] });
    const note = createSynapEvent({ type: "note.creation.completed", data: { content: "noted" } });
    const outcome = await dispatcher.store.append(note);
    if (outcome.status === "rejected") throw new Error("It is valid.");
    let looks = 0;
    const session: PositionSession = {
      query(...statement) {
        looks += 1;
        return database.query(...statement);
      },
    };
    const model: WrittenModel = { path: "seen", writtenBy: [handler] };
    return {
      session,
      model,
      position: outcome.position,
      looks: () => looks,
      work: () => catchUpFully(dispatcher, handler.name),
    };
  }
  const LONG = { waitMs: 60_000 };

  it("ends when the handler has come so far, for any number of waits with one look at a time", async () => {
    const { session, model, position, looks, work } = await scenario();
    const { reach } = createModelPositions(session);
    const log: WrittenModel = { path: "log", writtenBy: [] };
    const waits = [...Array(900).keys()].map(() => reach(model, position, LONG));
    await reach(log, position, LONG);
    await work();
    await Promise.all(waits);
    expect(looks()).toBeLessThan(waits.length / 2);
    // It is there: one look.
    const before = looks();
    await reach(model, position, LONG);
    expect(looks()).toBe(before + 1);
  });

  it("is given up in time, with what is behind and where it stands", async () => {
    const { session, model, position } = await scenario();
    const { reach } = createModelPositions(session);
    for (const waitMs of [0, 20]) {
      const wait = reach(model, position, { waitMs });
      await expect(wait).rejects.toThrow(PositionNotReachedError);
      await expect(wait).rejects.toMatchObject({ code: "POSITION_NOT_REACHED", position, reached: 0 });
      await expect(wait).rejects.toThrow(
        `The read model "seen" has not reached position ${position}. "${model.writtenBy[0]?.name}" has handled the log up to position 0.`,
      );
    }
  });

  it("is for so many at a time: the next one looks once", async () => {
    const { session, model, position, work } = await scenario();
    const { reach } = createModelPositions(session, { maxWaiting: 2 });
    const waits = [reach(model, position, LONG), reach(model, position, LONG)];
    await expect(reach(model, position, LONG)).rejects.toThrow(PositionNotReachedError);
    await work();
    await Promise.all(waits);
    await reach(model, position, LONG);
  });

  it("ends with the signal's reason, and with that of a look that fails", async () => {
    const { session, model, position, looks } = await scenario();
    const { reach } = createModelPositions(session);
    const stop = new AbortController();
    const wait = reach(model, position, { ...LONG, signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(wait).rejects.toThrow("enough");
    await expect(reach(model, position, { ...LONG, signal: stop.signal })).rejects.toThrow("enough");
    expect(looks()).toBe(1);
    const away = createModelPositions({ query: () => Promise.reject(new Error("the database is away")) });
    await expect(away.reach(model, position, LONG)).rejects.toThrow("the database is away");
  });
});
