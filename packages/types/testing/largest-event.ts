import { randomUUID } from "node:crypto";
import { createSynapEvent, type SynapEvent } from "../src/index.ts";

/** Creates a text that takes the given number of bytes of JSON. */
export type Filling = (bytes: number) => string;

/** The texts that fill an event in tests. */
export const fillings: Readonly<Record<string, Filling>> = {
  "plain text": (bytes) => "x".repeat(bytes),
  "text of three bytes a character": (bytes) => "€".repeat(Math.floor(bytes / 3)) + "x".repeat(bytes % 3),
  "characters that JSON escapes": (bytes) => "\n".repeat(Math.floor(bytes / 2)) + "x".repeat(bytes % 2),
  "control characters": (bytes) => "\u0001".repeat(Math.floor(bytes / 6)) + "x".repeat(bytes % 6),
};

/** Numbers that PostgreSQL writes out with 326 and 9 characters, and JavaScript with 6 and 6: 323 more. */
const SMALL_NUMBERS = { list: [5e-324, 1.5e-7], text: "a: b, c" };
const SMALL_NUMBERS_EXTRA = 320 + 4;

/** Creates an event of exactly this size, as the limit on events counts it. */
export function eventOfBytes(bytes: number, fill: Filling): SynapEvent {
  const base = createSynapEvent({
    type: "note.creation.requested",
    aggregateId: randomUUID(),
    data: { content: "x" },
    metadata: SMALL_NUMBERS,
  });
  const rest = Buffer.byteLength(JSON.stringify(base)) - 1 + SMALL_NUMBERS_EXTRA;
  return { ...base, data: { content: fill(bytes - rest) } };
}
