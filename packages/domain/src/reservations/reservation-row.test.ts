import { createEventStore } from "@synap/database/internal";
import { describeOnEveryEngine } from "@synap/database/testing";
import { CommandRefusedError, createAggregateRepository } from "@synap/handlers";
import { EventDispatcher } from "@synap/handlers/internal";
import { catchUpFully } from "@synap/handlers/testing";
import { reservationEventTypes, seedCatalogue } from "@synap/types";
import { arbitraryOf } from "@synap/types/testing";
import fc from "fast-check";
import { expect, it } from "vitest";
import { z } from "zod";
import { reservationDecider } from "./reservation-decider.ts";
import { reservationsProjection } from "./reservations-projection.ts";

const SEED = Number(process.env["SYNAP_FUZZ_SEED"] ?? Date.now() % 2 ** 31);

type Command = Parameters<typeof reservationDecider.decide>[0];

/** Random histories of a reservation: commands, and events that no decider produced, in any order. */
const commands = fc.oneof(
  ...Object.entries(reservationDecider.commands).map(([type, schema]) =>
    arbitraryOf(z.toJSONSchema(schema)).map((data) => ({ type, data: schema.parse(data) }) as Command),
  ),
);
const events = fc.oneof(
  ...reservationEventTypes.map(({ name, jsonSchema }) =>
    arbitraryOf(jsonSchema).map((data) => ({ event: { type: name, data: Object(data) } })),
  ),
);
const lives = fc.array(fc.oneof({ arbitrary: commands, weight: 4 }, events), { minLength: 1, maxLength: 6 });

describeOnEveryEngine(`a reservation and its row (seed ${SEED})`, (engine) => {
  it("agree after any commands and events", async () => {
    const { database } = engine;
    const store = createEventStore({ database, catalogue: seedCatalogue });
    const repository = createAggregateRepository({ store, decider: reservationDecider });
    const dispatcher = new EventDispatcher({
      database,
      catalogue: seedCatalogue,
      projections: [reservationsProjection],
    });
    await dispatcher.projections.prepare();

    const samples = fc.sample(lives, { seed: SEED, numRuns: 60 });
    for (const [index, life] of samples.entries()) {
      for (const step of life) {
        const id = `r${index}`;
        if ("event" in step) {
          await store.appendToStream({ aggregateType: "reservation", aggregateId: id }, "any", [step.event]);
          continue;
        }
        await repository.execute(id, step).catch((error: unknown) => {
          if (!(error instanceof CommandRefusedError)) throw error;
        });
      }
    }
    for (const name of dispatcher.followers) await catchUpFully(dispatcher, name);

    const rows = await database.query<{ id: string; row: Record<string, unknown> }>(
      `SELECT id, json_strip_nulls(json_build_object(
                'status', status, 'guestId', guest_id, 'resource', resource, 'partySize', party_size,
                'startDate', start_date, 'endDate', end_date,
                'reason', CASE WHEN status = 'CANCELLED' THEN reason END)) AS row
         FROM synap_read.reservations`,
    );
    const shown = new Map(rows.map(({ id, row }) => [id, row]));
    const statuses = new Set<string>();
    for (const index of samples.keys()) {
      const { state } = await repository.load(`r${index}`);
      expect(shown.get(`r${index}`) ?? { status: "PENDING" }).toEqual(state);
      statuses.add(state.status);
    }
    expect([...statuses].sort()).toEqual(["CANCELLED", "CONFIRMED", "PENDING"]);
  });
});
