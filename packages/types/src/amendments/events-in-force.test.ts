import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { naivelyInForce } from "../../testing/bitemporal-model.ts";
import type { StoredEvent } from "../event/event.ts";
import { correctionOf, retractionOf } from "./amendments.ts";
import { eventsInForce } from "./events-in-force.ts";

const day = (number: number) => new Date(Date.UTC(2026, 0, number)).toISOString();
const idOf = (number: number) => `01890a5d-ac96-774b-bcce-${String(number).padStart(12, "0")}`;

interface Facts {
  readonly content: string;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly metadata?: StoredEvent["metadata"];
}

/** The event that was recorded as the nth, on day n. */
function stored(
  number: number,
  { content, from, to, metadata }: Facts,
): StoredEvent<"note.creation.completed"> {
  return {
    id: idOf(number),
    version: "v1",
    type: "note.creation.completed",
    aggregateType: "note",
    aggregateId: "n",
    data: { content },
    createdBy: "system",
    source: "test",
    timestamp: day(number),
    ...(from !== undefined && { validFrom: day(from) }),
    ...(to !== undefined && { validTo: day(to) }),
    ...(metadata !== undefined && { metadata }),
    position: number,
    streamVersion: number,
    recordedAt: day(number),
  };
}

/** As the store would have the event that a helper made. */
const storedAs = (number: number, event: object): StoredEvent => ({
  ...stored(number, { content: "" }),
  ...event,
});

const contents = (events: readonly StoredEvent[]) => events.map(({ data }) => data["content"]);

describe("the events in force", () => {
  // On Monday the 5th it was known that something holds from the 6th; on the 8th, that it was something else.
  const first = stored(5, { content: "Monday's", from: 6 });
  const second = storedAs(8, correctionOf(first, { data: { content: "Thursday's" }, reason: "misread" }));
  const withdrawn = storedAs(9, retractionOf(second, { reason: "never was" }));
  const restored = storedAs(10, correctionOf(withdrawn, { data: first.data }));
  const log = [first, second, withdrawn, restored];
  const at = (knownAt: number, validAt: number) =>
    contents(eventsInForce(log, { knownAt: new Date(day(knownAt)), validAt: new Date(day(validAt)) }));

  it("are those that were known then, about when they hold", () => {
    expect(at(4, 6)).toEqual([]);
    expect(at(5, 5)).toEqual([]);
    expect(at(5, 6)).toEqual(["Monday's"]);
    expect(at(8, 6)).toEqual(["Thursday's"]);
    expect(at(9, 6)).toEqual([]);
    expect(at(10, 6)).toEqual(["Monday's"]);
    expect(contents(eventsInForce(log))).toEqual(["Monday's"]);
  });

  it("are in the order of validity, a correction in the place of its original", () => {
    const one = stored(1, { content: "one", from: 3 });
    const two = stored(2, { content: "two", from: 3 });
    const early = stored(3, { content: "early", from: 2, to: 4 });
    const corrected = storedAs(4, correctionOf(one, { data: { content: "one, corrected" } }));
    expect(contents(eventsInForce([one, two, early, corrected]))).toEqual(["early", "one, corrected", "two"]);
    expect(contents(eventsInForce([corrected, two, early, one], { validAt: new Date(day(4)) }))).toEqual([
      "one, corrected",
      "two",
    ]);
  });

  it("are not decided by an event that may not amend: of another stream, or a correction of a correction", () => {
    const other = { ...storedAs(11, correctionOf(first, { data: { content: "other" } })), aggregateId: "m" };
    const nested = storedAs(12, { data: { content: "nested" }, metadata: { retracts: second.id } });
    expect(contents(eventsInForce([first, second, other, nested]))).toEqual([
      "Thursday's",
      "other",
      "nested",
    ]);
  });

  it("equal those of a naive model, whatever was recorded", () => {
    const facts = fc.record({
      from: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
      length: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
      amends: fc.option(fc.nat(30), { nil: undefined }),
      retracts: fc.boolean(),
    });
    const moment = fc.option(fc.integer({ min: 0, max: 16 }), { nil: undefined });
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 14 }), moment, moment, (made, known, valid) => {
        const events: StoredEvent[] = [];
        for (const [index, { from, length, amends, retracts }] of made.entries()) {
          const number = index + 1;
          const to = from === undefined || length === undefined ? undefined : from + length;
          const facts = { content: `${number}`, from, to };
          const target = amends === undefined ? undefined : events[amends % Math.max(1, events.length)];
          const amending =
            target &&
            (retracts
              ? retractionOf(target, { reason: "wrong" })
              : correctionOf(target, {
                  data: { content: `${number}` },
                  ...(from !== undefined && {
                    validFrom: day(from),
                    validTo: to === undefined ? null : day(to),
                  }),
                }));
          events.push(amending === undefined ? stored(number, facts) : storedAs(number, amending));
        }
        const moments = {
          knownAt: known === undefined ? undefined : new Date(day(known)),
          validAt: valid === undefined ? undefined : new Date(day(valid)),
        };
        const inForce = eventsInForce([...events].reverse(), moments).map(({ id }) => id);
        expect(inForce).toEqual(naivelyInForce(events, moments));
      }),
      { numRuns: 500 },
    );
  });
});
