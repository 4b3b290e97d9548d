import { listDeadLetters } from "@synap/database/internal";
import { describeOnEveryEngine } from "@synap/database/testing";
import { createSynapEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import { thrownValues } from "@synap/types/testing";
import { beforeAll, describe, expect, it } from "vitest";
import { catchUpFully } from "../../testing/handler-scenario.ts";
import { recordedNotes, recordingProjection } from "../../testing/recording-projection.ts";
import { beginNow, createSeenTable, seeing, seenBy } from "../../testing/seen-events.ts";
import { EventDispatcher } from "../engine/event-dispatcher.ts";
import { TransientHandlerError } from "../handler/handler-errors.ts";
import { asError } from "../handler/thrown-error.ts";

const note = (content: string): SynapEvent =>
  createSynapEvent({ type: "note.creation.completed", data: { content } });

describeOnEveryEngine("a value thrown by a handler", (engine) => {
  beforeAll(() => createSeenTable(engine.database));

  const events = Object.keys(thrownValues).flatMap((what) => [note(what), note("good")]);
  const throwing = (batch: readonly SynapEvent[]) => {
    const [bad] = batch.filter((event) => event.data["content"] !== "good");
    if (bad !== undefined) throw thrownValues[String(bad.data["content"])];
  };
  const good = events.filter((event) => event.data["content"] === "good").map((event) => event.id);
  const bad = events.filter((event) => event.data["content"] !== "good").map((event) => event.id);

  it.each(["async", "inline"] as const)(
    "is a dead letter of that event, and of no other (%s)",
    async (mode) => {
      const handler = seeing(`throws-${mode}`, { mode, afterwards: throwing });
      const { database } = engine;
      const dispatcher = new EventDispatcher({
        database,
        catalogue: seedCatalogue,
        handlers: [handler],
        maxAttempts: 1,
      });
      await beginNow(database, handler.name);
      const own = events.map((event) => note(String(event.data["content"])));
      const outcomes = await dispatcher.store.appendBatch(own);
      expect(outcomes.every((outcome) => outcome.status === "stored")).toBe(true);
      if (mode === "async") await catchUpFully(dispatcher, handler.name);
      const isGood = (event: SynapEvent) => event.data["content"] === "good";
      expect(await seenBy(database, handler.name)).toEqual(own.filter(isGood).map((event) => event.id));
      const deadLetters = await listDeadLetters(database, { handler: handler.name });
      expect(deadLetters.map((deadLetter) => deadLetter.eventId).reverse()).toEqual(
        own.filter((event) => !isGood(event)).map((event) => event.id),
      );
      for (const { code, reason } of deadLetters) {
        expect(code).toMatch(/^[a-z0-9.-]+$/);
        expect(reason.length).toBeGreaterThan(0);
      }
    },
  );

  it("makes the event a dead letter when a projection throws it", async () => {
    const { database } = engine;
    const projection = recordingProjection({ name: "throws-notes", afterwards: throwing });
    const dispatcher = new EventDispatcher({
      database,
      catalogue: seedCatalogue,
      projections: [projection],
      maxAttempts: 1,
    });
    await dispatcher.store.appendBatch(events);
    await catchUpFully(dispatcher, projection.name);
    const shown = (await recordedNotes(database, projection.name)).map(({ id }) => id);
    expect(shown.filter((id) => good.includes(id)).sort()).toEqual([...good].sort());
    const deadLetters = await listDeadLetters(database, { handler: `${projection.name}/1`, limit: 1_000 });
    expect(bad.every((id) => deadLetters.some((deadLetter) => deadLetter.eventId === id))).toBe(true);
  });
});

describe("asError", () => {
  it.each(Object.keys(thrownValues))("returns an Error that can be logged and stored for %s", (what) => {
    const error = asError(thrownValues[what]);
    expect(error).toBeInstanceOf(Error);
    expect(() => JSON.stringify([error.name, error.message, error.stack, error.cause])).not.toThrow();
    expect(`${error.name}${error.message}`).not.toMatch(/\0|\p{Surrogate}/u);
  });

  it("returns an ordinary error itself, subclasses and frozen ones too", () => {
    for (const error of [
      new RangeError("no"),
      new TransientHandlerError("away"),
      Object.freeze(new Error("f")),
    ]) {
      expect(asError(error)).toBe(error);
    }
  });

  it("keeps a transient failure transient, however unreadable it is", () => {
    const trap = () => {
      throw new Error("a trap");
    };
    const away = Object.defineProperty(new TransientHandlerError("away"), "hint", {
      get: trap,
      enumerable: true,
    });
    expect(asError(away)).toBeInstanceOf(TransientHandlerError);
  });
});
