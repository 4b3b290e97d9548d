import { randomUUID } from "node:crypto";
import type { StreamEventInput } from "@synap/database";
import { createEventCatalogue, defineEventType, type StreamName } from "@synap/types";
import { z } from "zod";
import type { Random } from "./random.ts";

const data = z.strictObject({ writer: z.number(), text: z.string() });
const example = { writer: 1, text: "one step" };

/** Events that the writers of a stress run append. */
export const stressCatalogue = createEventCatalogue([
  defineEventType({
    name: "counter.step.taken",
    description: "Somebody moved a counter on. All writers share the counters.",
    schema: data,
    example,
  }),
  defineEventType({
    name: "diary.line.written",
    description: "A writer wrote into a diary of its own.",
    schema: data,
    example,
  }),
]);

/** A stream event whose id is known before it is sent. */
export type NumberedEvent = StreamEventInput & { readonly id: string };

const COUNTERS = 12;

/** Marks the end of a run. Who has read one has been given everything before it. */
export const END_MARKER: { readonly stream: StreamName; readonly text: string } = {
  stream: { aggregateType: "counter", aggregateId: "end" },
  text: "the end",
};

/** A stream that every writer writes to; the first ones more than the others. */
export function pickCounter(random: Random): StreamName {
  const number = Math.floor(random.next() ** 2 * COUNTERS);
  return { aggregateType: "counter", aggregateId: `counter-${number}` };
}

/** A stream that only this writer writes to. */
export function pickDiary(random: Random, writer: number): StreamName {
  return { aggregateType: "diary", aggregateId: `diary-${writer}-${random.whole(1, 200)}` };
}

/** So many events for a stream. */
export function makeEvents(
  stream: StreamName,
  writer: number,
  count: number,
  text = "step",
): NumberedEvent[] {
  const type = stream.aggregateType === "counter" ? "counter.step.taken" : "diary.line.written";
  return Array.from({ length: count }, () => ({ id: randomUUID(), type, data: { writer, text } }));
}
