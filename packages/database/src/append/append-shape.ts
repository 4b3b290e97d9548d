import type { StreamName } from "@synap/types";
import { describeStream } from "@synap/types/internal";
import { MAX_APPEND_EVENTS } from "./append-new-events.ts";

/**
 * Checks the number of events and streams of an append.
 * @throws RangeError when a stream is named twice, has no events, or there are more than 1,024 in all.
 */
export function checkShape(
  appends: readonly { readonly stream: StreamName; readonly events: readonly unknown[] }[],
  expectations: readonly StreamName[],
): void {
  const names = new Set<string>();
  for (const expectation of expectations) {
    const name = describeStream(expectation);
    if (names.has(name)) throw new RangeError(`Stream ${name} is named twice in one append.`);
    names.add(name);
  }
  if (appends.length === 0) throw new RangeError("The append names no stream.");
  let count = 0;
  for (const { stream, events } of appends) {
    if (events.length === 0)
      throw new RangeError(`The append has no events for stream ${describeStream(stream)}.`);
    count += events.length;
  }
  if (count > MAX_APPEND_EVENTS) {
    throw new RangeError(`An append holds at most ${MAX_APPEND_EVENTS} events, this one has ${count}.`);
  }
}
