import { type EventIssue, EventValidationError, MAX_EVENT_FIELDS, type SynapEvent } from "@synap/types";
import { MAX_APPEND_EVENTS } from "../append/append-events.ts";
import { checkEvent, type EventCheck } from "../append/check-event.ts";
import type { StreamAppend, StreamCheck } from "./stream-append.ts";
import {
  checkExpectedVersion,
  describeStream,
  type Expectation,
  type StreamEventInput,
  type StreamName,
} from "./stream-name.ts";

/** Everything of an append that can be decided without the store. */
export interface PreparedAppend {
  /** Of all streams, in the order given. */
  readonly events: readonly SynapEvent[];
  readonly expectations: readonly Expectation[];
}

/**
 * Completes and checks the events of an append.
 * @throws EventValidationError whose paths begin with `events[i]`, or `appends[i].events[j]` when there are several.
 * @throws RangeError when a stream is named twice, has no events, or there are more than 1,024 in all.
 */
export function prepareAppend(
  appends: readonly StreamAppend[],
  checks: readonly StreamCheck[],
  check: EventCheck,
): PreparedAppend {
  const expectations = [...appends, ...checks].map(
    ({ stream: { aggregateType, aggregateId }, expectedVersion }) => ({
      aggregateType,
      aggregateId,
      expected: checkExpectedVersion(expectedVersion),
    }),
  );
  checkShape(appends, expectations);

  const now = check.clock();
  const issues: EventIssue[] = [];
  const events = appends.flatMap(({ stream, events: inputs }, place) =>
    inputs.flatMap((input, index) => {
      const checked = checkEvent(completeFor(stream, input, now, check), check);
      const at = `${appends.length === 1 ? "" : `appends[${place}].`}events[${index}]`;
      for (const issue of checked.ok ? otherStream(stream, checked.event) : checked.issues) {
        issues.push({ ...issue, path: issue.path === "" ? at : `${at}.${issue.path}` });
      }
      return checked.ok ? [checked.event] : [];
    }),
  );
  if (issues.length > 0) throw new EventValidationError(issues.slice(0, 100));
  return { events, expectations };
}

/** What the sender gave stays whatever it is, unknown fields included, so that the check sees it and refuses it. */
function completeFor(
  { aggregateType, aggregateId }: StreamName,
  input: StreamEventInput,
  now: Date,
  { catalogue }: EventCheck,
): unknown {
  // Refused by the check, and a copy of so many fields costs more than everything else.
  if (Object.keys(input).length > MAX_EVENT_FIELDS) return input;
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
  const timestamp = input.timestamp ?? now.toISOString();
  return { ...catalogue.completeEvent({ ...input, timestamp, aggregateType, aggregateId }), ...given };
}

/** TypeScript keeps an event from naming a stream of its own; a sender of JSON may try. */
function otherStream(stream: StreamName, event: SynapEvent): EventIssue[] {
  return (["aggregateType", "aggregateId"] as const)
    .filter((path) => event[path] !== stream[path])
    .map((path) => ({ path, code: "stream-mismatch", reason: "is not that of the stream" }));
}

function checkShape(appends: readonly StreamAppend[], expectations: readonly Expectation[]): void {
  const names = new Set<string>();
  for (const expectation of expectations) {
    const name = describeStream(expectation);
    if (names.has(name)) throw new RangeError(`Stream ${name} is named twice in one append.`);
    names.add(name);
  }
  if (appends.length === 0) throw new RangeError("There is no stream to append to.");
  let count = 0;
  for (const { stream, events } of appends) {
    if (events.length === 0) throw new RangeError(`There is no event for stream ${describeStream(stream)}.`);
    count += events.length;
  }
  if (count > MAX_APPEND_EVENTS) {
    throw new RangeError(`An append holds at most ${MAX_APPEND_EVENTS} events, this one has ${count}.`);
  }
}
