import { defineSink, type EventsOf, type Sink, type SinkOptions } from "@synap/handlers";
import { namesOf } from "@synap/handlers/internal";
import type { EventTypeDefinition, StoredEvent } from "@synap/types";
import { keyBeside, openRedis, type RedisEntry } from "./redis-connection.ts";

/** The definition of a sink to streams of Redis. */
export interface RedisSinkDefinition<
  Events extends readonly EventTypeDefinition[] | "all",
  Name extends string,
> extends SinkOptions<Name> {
  readonly events: Events;
  /**
   * `redis://USER:PASSWORD@HOST:PORT/DATABASE`, with `rediss:` for TLS, or a function that gives it when the sink is opened. The server is
   * Redis 7 or later, or Valkey.
   */
  readonly url: string | (() => string);
  /** The key of the stream, which is the sink's alone, and the beginning of the names of its other keys. Without braces. */
  readonly stream: string;
  /**
   * One stream for each type of events, `{STREAM}:TYPE`, or for each type of aggregates, `{STREAM}:AGGREGATE-TYPE`. Default: one for all
   * of them.
   */
  readonly streamPer?: "type" | "aggregateType" | undefined;
  /** About the number of entries that a stream keeps: Redis removes the oldest beyond it. Default 1,000,000. */
  readonly maxLength?: number | undefined;
  /** Makes the entry of an event: its fields and their values. Default: `id`, `type`, and `event` with the whole event as JSON. */
  entry?(event: EventsOf<Events>): Readonly<Record<string, string>>;
}

/**
 * Defines a sink that writes events to a stream of Redis, from where consumer groups read them. The checkpoint is kept there and moves in
 * the step that appends the entries, so each event is there once, as long as the server keeps what it has written.
 *
 * @throws RangeError for a stream or a length out of bounds, and as `defineSink`
 * @example
 * export const feed = redisSink({
 *   name: "feed",
 *   description: "Orders, for the services of the shop.",
 *   events: [orderPlaced],
 *   url: () => process.env.FEED_REDIS_URL ?? "",
 *   stream: "orders",
 * });
 */
export function redisSink<
  const Events extends readonly EventTypeDefinition[] | "all",
  const Name extends string,
>(definition: RedisSinkDefinition<Events, Name>): Sink<Name> {
  const { name, events, url, stream, streamPer, maxLength = 1_000_000, entry } = definition;
  if (stream === "" || /[{}]/.test(stream))
    throw new RangeError(`The stream of the sink "${name}" must have a name without braces.`);
  if (!Number.isSafeInteger(maxLength) || maxLength < 1)
    throw new RangeError(
      `maxLength of the sink "${name}" must be a whole number from 1 on, not ${maxLength}.`,
    );
  let isWarned = false;
  return defineSink({
    ...definition,
    eventTypes: namesOf(events),
    promise: {
      destination: "Redis Streams",
      ordered: true,
      transactional: true,
      idempotent: true,
      guarantee: "effectively once",
      keepsCheckpoint: true,
    },
    open: (signal) =>
      openRedis({
        url: typeof url === "function" ? url() : url,
        signal,
        sink: name,
        stream,
        maxLength,
        keyOf: (event) => (streamPer === undefined ? stream : keyBeside(stream, event[streamPer])),
        entryOf: (event) =>
          // Only events of these types are handed over, each checked against its schema when it was stored.
          entry === undefined ? wholeEvent(event) : entry(event as EventsOf<Events>),
        warn: (fault) => {
          if (!isWarned)
            process.emitWarning(`The server of the sink "${name}": ${fault}`, "RedisSinkWarning");
          isWarned = true;
        },
      }),
  });
}

function wholeEvent(event: StoredEvent): RedisEntry {
  return { id: event.id, type: event.type, event: JSON.stringify(event) };
}
