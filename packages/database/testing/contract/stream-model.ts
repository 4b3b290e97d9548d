import type { ExpectedVersion, StreamName } from "@synap/types";
import type { StreamAppend, StreamCheck } from "../../src/index.ts";

interface ModelEvent {
  readonly id: string;
  readonly stream: string;
  readonly key: string | undefined;
  readonly streamVersion: number;
  /** True for an event of a closed stream, which is removed when its call is refused. */
  readonly isRefused: boolean;
}

/** Model of an event store as a fold over a plain list: slow, but obviously correct. */
export class StreamModel {
  log: readonly ModelEvent[] = [];
  readonly #closed = new Set<string>();

  version(stream: StreamName): number {
    return this.idsOf(stream).length;
  }

  idsOf(stream: StreamName): string[] {
    return this.log.filter((event) => event.stream === nameOf(stream)).map(({ id }) => id);
  }

  close(stream: StreamName, expected: ExpectedVersion): string {
    const actual = this.version(stream);
    if (actual === 0 && (expected === "any" || expected === "no-stream" || expected === 0))
      return "STREAM_NOT_FOUND";
    if (!isMet(expected, actual)) return "OPTIMISTIC_LOCK";
    this.#closed.add(nameOf(stream));
    return "done";
  }

  append(appends: readonly StreamAppend[], checks: readonly StreamCheck[]): unknown {
    let log = this.log;
    const refusals = new Set<string>();
    const results = appends.map(({ stream, events }) => {
      const name = nameOf(stream);
      const answers = events.map(({ id = "", idempotencyKey: key }) => {
        // A key that was first used in this call does not make an event of a closed stream a duplicate.
        const withKey = (this.#closed.has(name) ? this.log : log).find(
          (event) => event.key === key && !event.isRefused,
        );
        const known = log.find((event) => event.id === id) ?? (key === undefined ? undefined : withKey);
        if (known !== undefined) {
          // The content of an event follows from its id, so only the stream can differ.
          if (known.stream !== name && !known.isRefused) refusals.add(known.id === id ? "id" : "key");
          return { id: known.id, streamVersion: known.streamVersion, duplicate: true };
        }
        const isRefused = this.#closed.has(name);
        if (isRefused) refusals.add("closed");
        const streamVersion = log.filter((event) => event.stream === name).length + 1;
        log = [...log, { id, stream: name, key, streamVersion, isRefused }];
        return { id, streamVersion, duplicate: false };
      });
      return { streamVersion: Math.max(...answers.map((each) => each.streamVersion)), events: answers };
    });
    if (refusals.has("id")) return "EVENT_ID_CONFLICT";
    if (refusals.has("closed")) return "STREAM_CLOSED";
    if (refusals.has("key")) return "EVENT_ID_CONFLICT";
    const isAsExpected = [...appends, ...checks].every(({ stream, expectedVersion }, index) => {
      const own = results[index]?.events;
      return (
        own?.every(({ duplicate }) => duplicate) === true || isMet(expectedVersion, this.version(stream))
      );
    });
    if (!isAsExpected) return "OPTIMISTIC_LOCK";
    this.log = log;
    return results;
  }
}

function isMet(expected: ExpectedVersion, actual: number): boolean {
  if (expected === "any") return true;
  if (expected === "no-stream") return actual === 0;
  return expected === "stream-exists" ? actual > 0 : expected === actual;
}

/** The name of a stream in the log. */
export function nameOf({ aggregateType, aggregateId }: StreamName): string {
  return `${aggregateType}/${aggregateId}`;
}
