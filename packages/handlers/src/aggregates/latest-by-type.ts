import type { LogReader } from "@synap/database";
import { checkPast, type JsonObject, type StoredEvent, type StreamName } from "@synap/types";
import type { AggregateMoment } from "./aggregate-repository.ts";
import { knownMoment, knownVersion, readKnownEvents } from "./known-events.ts";

/** An aggregate of a kind without rules, at a version or moment. */
export interface LatestByType {
  /** The version of the newest of its events up to then; 0 when there is none. */
  readonly version: number;
  /** The data of the newest event of each type. */
  readonly state: Readonly<Record<string, JsonObject>>;
  /** False if the aggregate has so many events that older ones were left out. */
  readonly isComplete: boolean;
}

/** Number of events that are read at most, the newest first. */
const MAX_EVENTS = 10_000;
const PAGE = 1_000;

/**
 * Reads what is known of an aggregate whose kind has no rules by which its state follows from its events: the newest data of
 * each type of event. Merging their fields would be a rule, and a wrong one for most kinds.
 *
 * As it was known, it is the last in the order of validity of each type.
 *
 * @throws InvalidMomentError; MomentInFutureError; RangeError when `version` is not a whole number from 0, or is given together with a moment of knowledge or
 *   validity; AsOfTooLongError
 */
export async function latestByType(
  reader: Pick<LogReader, "queryStream" | "readStreamPage">,
  stream: StreamName,
  moment: Omit<AggregateMoment, "transaction">,
): Promise<LatestByType> {
  const known = knownMoment(moment);
  if (known !== undefined) {
    const bound = { name: stream.aggregateType, maxEvents: moment.maxEvents };
    const events = await readKnownEvents(readForwards(reader, stream), known, bound);
    const state = inOrder(new Map(events.map((event) => [event.type, event])));
    return { version: knownVersion(events), state, isComplete: true };
  }
  const { version: toVersion, at } = moment;
  if (at !== undefined) checkPast("at", at);
  const newest = new Map<string, StoredEvent>();
  let version = 0;
  let read = 0;
  const add = (events: readonly StoredEvent[]) => {
    read += events.length;
    for (const event of events) {
      version = Math.max(version, event.streamVersion);
      // Old events may have been added later, so the newest in time is not always the newest.
      const other = newest.get(event.type);
      if (other === undefined || other.streamVersion < event.streamVersion) newest.set(event.type, event);
    }
    return read < MAX_EVENTS;
  };
  const isComplete =
    at === undefined
      ? await readBackwards(reader, stream, toVersion, add)
      : await readBefore(reader, { ...stream, to: new Date(at.valueOf() + 1) }, add);
  return { version, state: inOrder(newest), isComplete };
}

/** The data of events by their types, in the order of these. */
function inOrder(newest: ReadonlyMap<string, StoredEvent>): LatestByType["state"] {
  return Object.fromEntries(
    [...newest.values()]
      .map(({ type, data }) => [type, data] as const)
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}

async function* readForwards(
  reader: Pick<LogReader, "readStreamPage">,
  stream: StreamName,
): AsyncGenerator<StoredEvent, void, void> {
  for (let fromVersion: number | undefined = 1; fromVersion !== undefined; ) {
    const page = await reader.readStreamPage(stream, { fromVersion, pageSize: PAGE });
    yield* page.events;
    fromVersion = page.nextVersion;
  }
}

/** Takes a page, and answers whether to go on. */
type Take = (events: readonly StoredEvent[]) => boolean;

async function readBackwards(
  reader: Pick<LogReader, "readStreamPage">,
  stream: StreamName,
  last: number | undefined,
  take: Take,
): Promise<boolean> {
  for (let toVersion = last; ; ) {
    const page = await reader.readStreamPage(stream, { toVersion, direction: "backwards", pageSize: PAGE });
    const goesOn = take(page.events);
    if (page.nextVersion === undefined) return true;
    if (!goesOn) return false;
    toVersion = page.nextVersion;
  }
}

async function readBefore(
  reader: Pick<LogReader, "queryStream">,
  filter: StreamName & { readonly to: Date },
  take: Take,
): Promise<boolean> {
  for (let cursor: string | undefined; ; ) {
    const page = await reader.queryStream(filter, { limit: PAGE, order: "desc", cursor });
    const goesOn = take(page.events);
    if (page.nextCursor === undefined) return true;
    if (!goesOn) return false;
    cursor = page.nextCursor;
  }
}
