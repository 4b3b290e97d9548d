import { complete, type SchemaVersions } from "./complete-event.ts";
import type { CallOptions, EventInput } from "./contract.ts";
import { isProblem, SynapProblem, SynapResponseError } from "./errors.ts";
import type { ProblemCode, ProblemDocument } from "./problems.ts";
import type { Resource } from "./resources.ts";
import type { Transport } from "./transport.ts";

/** Outcome of a published event: accepted, or already stored. */
export type Published = Resource<"AcceptedEvent"> | Resource<"DuplicateEvent">;

/** Outcome of one event of a batch. */
export type PublishResult = Resource<"BatchResults">["results"][number];

/** Outcome of an event, once it is known. */
export type SettledResult = Exclude<PublishResult, { status: "unavailable" }>;

/** Options of publishing. */
export interface PublishOptions extends CallOptions {
  /** Events of any age, not only of the last days. Needs the scope `backfill`. */
  readonly backfill?: boolean;
}

/** Limits of the requests in which concurrent calls of `publish` travel together. */
export interface CoalescingOptions {
  /** The most events of one request. Default 1,000. */
  readonly maxEvents?: number;
  /** The most bytes of one request, roughly. Default 1 MiB. */
  readonly maxBytes?: number;
}

/** An event as it is sent. The length of its JSON, in UTF-16 units, is near enough to its bytes. */
interface SerialisedEvent {
  readonly id: string;
  readonly json: string;
}

interface Waiting {
  readonly event: SerialisedEvent;
  readonly options: PublishOptions;
  readonly resolve: (published: Published) => void;
  readonly reject: (error: unknown) => void;
}

type Event = EventInput<string, object>;

/** Publishes events. @internal */
export interface Publishing {
  publish(event: Event, options?: PublishOptions): Promise<Published>;
  publishBatch(events: readonly Event[], options?: PublishOptions): Promise<PublishResult[]>;
  publishJson(events: readonly string[], options?: PublishOptions): Promise<SettledResult[]>;
}

/**
 * Publishing through a transport. An event that comes while nothing is on its way is sent at once; those that come during a
 * request travel together in the next one, so many callers cost few requests and none waits for a timer.
 *
 * @internal
 */
export function createPublishing(
  transport: Transport,
  { maxEvents = 1_000, maxBytes = 1_048_576 }: CoalescingOptions = {},
  versions: SchemaVersions = {},
): Publishing {
  const queue: Waiting[] = [];
  let isSending = false;

  /**
   * Publishes until every event is settled, sending only those again whose outcome is open.
   * @throws what ended it, when the outcome of no event is known
   */
  async function settle(
    events: readonly string[],
    options: PublishOptions,
  ): Promise<{ settled: Map<number, SettledResult>; fault: unknown }> {
    const settled = new Map<number, SettledResult>();
    const since = performance.now();
    let fault: unknown;
    for (let attempts = 1; ; attempts += 1) {
      const open = events.map((_, index) => index).filter((index) => !settled.has(index));
      const sent = await send(
        open.map((index) => events[index]),
        options,
      );
      fault = sent.fault;
      for (const result of sent.results) {
        const index = open[result.index];
        if (index !== undefined && result.status !== "unavailable") settled.set(index, { ...result, index });
      }
      if (fault === undefined) break;
      if (sent.results.length === 0 && settled.size === 0) throw fault;
      if (sent.results.length === 0) break;
      if (!(await transport.pause({ fault, attempts, since }, options.signal))) break;
    }
    return { settled, fault };
  }

  /** A result for each event; those that stayed open are `unavailable`. @throws as `settle` */
  async function settleAll(
    events: readonly SerialisedEvent[],
    options: PublishOptions,
  ): Promise<{ results: PublishResult[]; fault: unknown }> {
    const { settled, fault } = await settle(
      events.map(({ json }) => json),
      options,
    );
    const results = events.map(
      ({ id }, index): PublishResult => settled.get(index) ?? { status: "unavailable", id, index },
    );
    return { results, fault };
  }

  /** One request, after the transport's own retries: what it settled, and the fault that left the rest open. */
  async function send(
    events: readonly (string | undefined)[],
    { signal, backfill }: PublishOptions,
  ): Promise<{ results: readonly PublishResult[]; fault?: unknown }> {
    try {
      const json = `{"events":[${events.join(",")}]}`;
      const { results } = await transport.call("publishBatch", { json, signal, backfill });
      const isWhole =
        results?.length === events.length && results.every((result, index) => result.index === index);
      if (isWhole) return { results };
      throw new SynapResponseError(transport.url, 200, "it has no result for each event");
    } catch (error) {
      signal?.throwIfAborted();
      if (isProblem(error, "batch-rejected")) return { results: error.problem.results };
      return { results: error instanceof SynapProblem ? (error.problem.results ?? []) : [], fault: error };
    }
  }

  /** The waiting events that fit into one request and want the same. */
  function takeBatch(): Waiting[] {
    const batch: Waiting[] = [];
    let bytes = 0;
    const backfill = queue[0]?.options.backfill === true;
    while (batch.length < maxEvents) {
      const next = queue[0];
      if (next === undefined || (next.options.backfill === true) !== backfill) break;
      bytes += next.event.json.length;
      if (batch.length > 0 && bytes > maxBytes) break;
      queue.shift();
      batch.push(next);
    }
    return batch;
  }

  async function sendWaiting(): Promise<void> {
    if (isSending) return;
    isSending = true;
    for (let batch = takeBatch(); batch.length > 0; batch = takeBatch()) {
      // One that was given up while it waited is not sent.
      const live = batch.filter(({ options, reject }) => {
        if (options.signal?.aborted !== true) return true;
        reject(options.signal.reason);
        return false;
      });
      const [first] = live;
      if (first === undefined) continue;
      await (live.length === 1 ? sendOne(first) : sendTogether(live));
    }
    isSending = false;
  }

  async function sendOne({ event, options, resolve, reject }: Waiting): Promise<void> {
    const { signal, backfill } = options;
    await transport.call("publishEvent", { json: event.json, signal, backfill }).then(resolve, reject);
  }

  async function sendTogether(batch: readonly Waiting[]): Promise<void> {
    const [first] = batch;
    // The callers' signals end their waiting, not the request that carries the events of others too.
    const options = { backfill: first?.options.backfill === true };
    try {
      const { results, fault } = await settleAll(
        batch.map(({ event }) => event),
        options,
      );
      for (const result of results) {
        const waiting = batch[result.index];
        if (result.status === "rejected") waiting?.reject(new SynapProblem(problemOf(result)));
        else if (result.status === "unavailable") waiting?.reject(fault);
        else waiting?.resolve(result);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  return {
    publish(event, options = {}) {
      const serialised = serialise(event, versions);
      return new Promise((resolve, reject) => {
        const stop = () => reject(options.signal?.reason);
        if (options.signal?.aborted === true) return stop();
        options.signal?.addEventListener("abort", stop, { once: true });
        const settled = () => options.signal?.removeEventListener("abort", stop);
        queue.push({
          event: serialised,
          options,
          resolve: (published) => {
            settled();
            resolve(published);
          },
          reject: (error) => {
            settled();
            reject(error);
          },
        });
        void sendWaiting();
      });
    },
    async publishBatch(events, options = {}) {
      const serialised = events.map((event) => serialise(event, versions));
      const results: PublishResult[] = [];
      for (const { from, to } of slices(serialised, maxEvents, maxBytes)) {
        const part = serialised.slice(from, to);
        const settled = await settleAll(part, options).catch((fault: unknown) => {
          options.signal?.throwIfAborted();
          if (results.length === 0) throw fault;
          return {
            results: part.map(({ id }, index): PublishResult => ({ status: "unavailable", id, index })),
          };
        });
        results.push(...settled.results.map((result) => ({ ...result, index: result.index + from })));
      }
      return results;
    },
    async publishJson(events, options = {}) {
      if (events.length === 0) return [];
      const { settled, fault } = await settle(events, options);
      return events.map((_, index) => {
        const result = settled.get(index);
        if (result === undefined) throw fault;
        return result;
      });
    },
  };
}

function serialise(event: Event, versions: SchemaVersions): SerialisedEvent {
  const completed = complete(event, versions);
  return { id: completed.id, json: JSON.stringify(completed) };
}

/** Splits a list of events so that no request is too large. */
function* slices(events: readonly SerialisedEvent[], maxEvents: number, maxBytes: number) {
  let from = 0;
  let bytes = 0;
  for (const [index, event] of events.entries()) {
    const size = event.json.length;
    if (index > from && (index - from >= maxEvents || bytes + size > maxBytes)) {
      yield { from, to: index };
      from = index;
      bytes = 0;
    }
    bytes += size;
  }
  if (from < events.length) yield { from, to: events.length };
}

/** Faults of an event that have a problem of their own; all others are `event-invalid`. */
const EVENT_PROBLEMS: Partial<Record<string, readonly [status: number, title: string]>> = {
  "event-id-conflict": [409, "The id is taken by another event"],
  "event-too-large": [413, "The event is too large"],
  "unknown-event-type": [422, "The event type is not in the catalogue"],
  "too-deep": [422, "The event is nested too deeply"],
  "timestamp-too-old": [422, "The event is too old"],
  "timestamp-too-late": [422, "The event lies in the future"],
};

/** The problem that the event would have been answered alone. */
function problemOf(result: Extract<PublishResult, { status: "rejected" }>): ProblemDocument {
  const own = EVENT_PROBLEMS[result.code];
  const code = own === undefined ? "event-invalid" : result.code;
  const [status, title] = own ?? [422, "The event is not valid"];
  const where = result.path === "" ? "The event" : `"${result.path}"`;
  return {
    type: `/problems/${code}`,
    title,
    status,
    // One of the keys above.
    code: code as Extract<ProblemCode, "event-invalid">,
    detail: `${where} ${result.reason}.`,
    instance: "",
    errors: result.issues,
  };
}
