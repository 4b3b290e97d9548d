import type { SynapEvent } from "@synap/types";
import type { AppendOptions, EventStore } from "../event-store.ts";
import { type AppendedEvent, type AppendOutcome, rejected } from "./append-outcome.ts";
import {
  checkEvent,
  collectResults,
  type EventCheck,
  type PreparedAppend,
  prepareAppend,
  type StreamAppend,
  type StreamAppendResult,
  type StreamsAppendOptions,
} from "./prepare-append.ts";

/** Appends of validated events, implemented by each store. Called at most once per append, before anything is awaited. */
export interface CheckedAppends {
  /** Appends events of any streams independently, and returns an outcome for each, in the same order. */
  appendEvents(events: readonly SynapEvent[], options: AppendOptions): Promise<readonly AppendedEvent[]>;
  /** Appends to streams at their expected versions, all or nothing. */
  appendPrepared(prepared: PreparedAppend, options: StreamsAppendOptions): Promise<readonly AppendedEvent[]>;
}

/** Creates the append methods of a store: the validation and results that all stores have in common. */
export function appendMethods(
  rules: Omit<EventCheck, "timestamps">,
  { appendEvents, appendPrepared }: CheckedAppends,
): Pick<EventStore, "append" | "appendBatch" | "appendToStream" | "appendToStreams"> {
  async function appendBatch(
    events: readonly SynapEvent[],
    options: AppendOptions = {},
  ): Promise<AppendOutcome[]> {
    const checked = events.map((event) => checkEvent(event, { ...rules, timestamps: options.timestamps }));
    const valid = checked.flatMap((each) => (each.ok ? [each.event] : []));
    const appended = valid.length === 0 ? [] : await appendEvents(valid, options);
    let next = 0;
    return checked.map((each) => {
      if (!each.ok) return rejected(each.id, ...each.issues);
      const outcome = appended[next]?.outcome;
      next += 1;
      if (outcome === undefined) throw new Error(`The append of ${each.event.id} has no outcome.`);
      return outcome;
    });
  }

  async function appendToStreams(
    appends: readonly StreamAppend[],
    options: StreamsAppendOptions = {},
  ): Promise<StreamAppendResult[]> {
    const { timestamps, checks = [] } = options;
    const prepared = prepareAppend(appends, checks, { ...rules, timestamps });
    return collectResults(appends, await appendPrepared(prepared, options));
  }

  return {
    async append(event, options) {
      const [outcome] = await appendBatch([event], options);
      if (outcome === undefined) throw new Error(`The append of ${event.id} has no outcome.`);
      return outcome;
    },
    appendBatch,
    async appendToStream(stream, expectedVersion, events, options) {
      const [result] = await appendToStreams([{ stream, expectedVersion, events }], options);
      if (result === undefined) throw new Error("The append has no result.");
      return result;
    },
    appendToStreams,
  };
}
