import { createSynapEvent, type StoredEvent } from "@synap/types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { orderByCause } from "./read-trace.ts";

const idOf = (number: number) => `0190b5a8-7c00-7000-8000-${String(number).padStart(12, "0")}`;

/** Events whose causes are given by number: of themselves, of others, in circles, or of events that are not among them. */
function eventsWith(causes: readonly (number | undefined)[]): StoredEvent[] {
  return causes.map((cause, index) => ({
    ...createSynapEvent({
      type: "note.creation.completed",
      id: idOf(index),
      data: { content: String(index) },
      ...(cause !== undefined && { causationId: idOf(cause) }),
    }),
    position: index,
    streamVersion: 1,
    recordedAt: new Date(0).toISOString(),
  }));
}

describe("the order by cause", () => {
  it("has every event once, each right below its cause, and only roots without one", () => {
    const causes = fc.array(fc.option(fc.nat({ max: 30 }), { nil: undefined }), { maxLength: 25 });
    fc.assert(
      fc.property(causes, (given) => {
        const events = eventsWith(given);
        const nodes = orderByCause(events);
        expect(nodes.map(({ event }) => event.id).sort()).toEqual(events.map(({ id }) => id));
        const circular = nodes.filter(
          ({ depth, event }) => depth === 0 && events.some(({ id }) => id === event.causationId),
        );
        nodes.forEach(({ depth, event }, index) => {
          if (depth === 0) return;
          const above = nodes.slice(0, index).findLast((node) => node.depth === depth - 1);
          expect(above?.event.id).toBe(event.causationId);
        });
        // A root whose cause is among the events begins a circle: its cause is below it.
        for (const root of circular) {
          const start = nodes.indexOf(root);
          const length = nodes.slice(start + 1).findIndex(({ depth }) => depth === 0);
          const below = nodes.slice(start, length < 0 ? undefined : start + 1 + length);
          expect(below.map(({ event }) => event.id)).toContain(root.event.causationId);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("keeps the order of events with the same cause", () => {
    const nodes = orderByCause(eventsWith([undefined, 0, 0, 1, undefined, 0]));
    expect(nodes.map(({ depth, event }) => [depth, event.position])).toEqual([
      [0, 0],
      [1, 1],
      [2, 3],
      [1, 2],
      [1, 5],
      [0, 4],
    ]);
  });

  it("follows a long chain without recursion", () => {
    const nodes = orderByCause(
      eventsWith(Array.from({ length: 20_000 }, (_, index) => (index === 0 ? undefined : index - 1))),
    );
    expect(nodes.at(-1)?.depth).toBe(19_999);
  });
});
