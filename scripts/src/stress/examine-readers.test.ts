import { describe, expect, it } from "vitest";
import { examineReader } from "./examine-readers.ts";
import type { ReadEvent } from "./reader-journal.ts";
import type { StoredRow } from "./stored-rows.ts";

const events: readonly ReadEvent[] = [1, 2, 3, 4, 5, 6].map((number) => ({
  position: number * 1024,
  id: `event ${number}`,
  stream: number % 2 === 0 ? "counter/1" : "diary/1",
  version: Math.ceil(number / 2),
}));
const marks: readonly ReadEvent[] = [1, 2].map((version) => ({
  position: (20 + version) * 1024,
  id: `mark ${version}`,
  stream: "counter/end",
  version,
}));
const stored = new Map<string, StoredRow>([...events, ...marks].map((event) => [event.id, event]));
const fine = { lost: 0, repeated: 0, outOfOrder: 0, versionsOutOfOrder: 0, unknown: 0 };
const [first, second, third, fourth, fifth, sixth] = events;

function examine(read: readonly (ReadEvent | undefined)[], beginsAfter = 0, aggregateType?: string) {
  const reading = { beginsAfter, events: [...read, marks[0]].flatMap((event) => event ?? []) };
  return examineReader(reading, stored, aggregateType);
}

describe("what a reader got", () => {
  it("has no fault when it is everything, in order", () => {
    expect(examine(events)).toEqual({ ...fine, read: 6 });
  });

  it("is compared only with what the reader asked for: from where it began, of the streams it wanted", () => {
    expect(examine([fourth, fifth, sixth], 3 * 1024)).toEqual({ ...fine, read: 3 });
    expect(examine([second, fourth, sixth], 0, "counter")).toEqual({ ...fine, read: 3 });
  });

  it("shows a lost event, also by the gap it leaves in its stream", () => {
    expect(examine([first, second, fourth, fifth, sixth])).toEqual({
      ...fine,
      read: 5,
      lost: 1,
      versionsOutOfOrder: 1,
    });
    expect(examine([])).toEqual({ ...fine, read: 0, lost: 6 });
  });

  it("is not all when it never came to the end", () => {
    expect(examineReader({ beginsAfter: 0, events }, stored, undefined)).toEqual({
      ...fine,
      read: 6,
      lost: 1,
    });
  });

  it("shows an event that came twice", () => {
    expect(examine([first, second, second, third, fourth, fifth, sixth, first])).toMatchObject({
      repeated: 2,
    });
  });

  it("shows an event that came after its successor", () => {
    expect(examine([first, third, second, fourth, fifth, sixth])).toMatchObject({
      lost: 0,
      outOfOrder: 1,
      versionsOutOfOrder: 0,
    });
    expect(examine([first, second, third, sixth, fifth, fourth])).toMatchObject({
      outOfOrder: 2,
      versionsOutOfOrder: 2,
    });
  });

  it("shows an event that is not stored, or otherwise", () => {
    const invented = { position: 9 * 1024, id: "invented", stream: "diary/2", version: 1 };
    const moved = sixth === undefined ? undefined : { ...sixth, position: 8 * 1024 };
    expect(examine([...events, invented])).toMatchObject({ unknown: 1 });
    expect(examine([first, second, third, fourth, fifth, moved])).toMatchObject({ unknown: 1 });
  });
});
