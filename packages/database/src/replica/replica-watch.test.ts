import { seedCatalogue } from "@synap/types";
import { expect, it, vi } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { noteEvent } from "../../testing/test-events.ts";
import { DatabaseUnavailableError } from "../connection/database-errors.ts";
import type { SqlParameter } from "../connection/sql-session.ts";
import { createEventStore } from "../internal.ts";
import { advanceHorizon } from "./horizon.ts";
import { createReplicaWatch } from "./replica-watch.ts";

describeOnEveryEngine("the watch of a replica", (engine) => {
  it("counts the time behind the primary up to the last answer of the primary", async () => {
    const { database } = engine;
    /** Answers that the primary still gives before it is away. */
    let answers = 0;
    const { append } = createEventStore({ database, catalogue: seedCatalogue });
    await append(noteEvent());
    let replayed = await advanceHorizon(database);
    const watch = createReplicaWatch({
      primary: {
        async query<Row extends object>(text: string, parameters?: readonly SqlParameter[]) {
          if (answers === 0) throw new DatabaseUnavailableError("it is away");
          answers -= 1;
          return database.query<Row>(text, parameters);
        },
      },
      probe: async () => ({ ...replayed, isStandby: true }),
      maxLag: 0,
      maxSilence: 60_000,
      onChange: () => {},
    });
    const answerOnce = async () => {
      answers = 1;
      await vi.waitFor(async () => {
        await watch.look();
        expect(answers).toBe(0);
      }, 60_000);
    };
    try {
      await answerOnce();
      expect(watch.state()).toMatchObject({ inUse: true, lagMs: 0 });

      await append(noteEvent());
      await answerOnce();
      await watch.look();
      expect(watch.state()).toMatchObject({ inUse: true, lagMs: 0 });

      await answerOnce();
      await watch.look();
      expect(watch.state()).toMatchObject({
        inUse: false,
        reason: expect.stringContaining("behind the primary"),
      });

      replayed = await advanceHorizon(database);
      await watch.look();
      expect(watch.state()).toMatchObject({ inUse: true, lagMs: 0 });
    } finally {
      watch.close();
    }
  });
});
