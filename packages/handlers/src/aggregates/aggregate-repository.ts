import {
  type EventStore,
  OptimisticLockError,
  type StreamAppendResult,
  type StreamEventInput,
  type StreamName,
  type Transaction,
} from "@synap/database";
import { checkMoment, type EventInput, type JsonObject } from "@synap/types";
import { callAtOnce } from "../dispatch/handler-call.ts";
import { AggregateConflictError } from "./aggregate-errors.ts";
import { commandEventId } from "./command-event-id.ts";
import type { AggregateCommand, DecidedEvent, Decider } from "./decider.ts";
import { type AggregateState, applyEvent, initialAggregate } from "./fold.ts";
import { SnapshotKeeper, type SnapshotPolicy } from "./snapshot-keeper.ts";

export interface AggregateRepositoryOptions<
  State extends JsonObject,
  Command extends AggregateCommand,
  Event extends DecidedEvent,
> {
  readonly store: Pick<EventStore, "readStream" | "appendToStream" | "findDuplicates">;
  readonly decider: Decider<State, Command, Event>;
  /** Default: none; every load folds the whole stream. */
  readonly snapshots?: SnapshotPolicy | undefined;
  /** How often a command is tried in all when others are faster. Default 5. */
  readonly attempts?: number | undefined;
  /** Waits before another attempt, in milliseconds. Default: a random time up to 10, 20, 40 ... */
  readonly pause?: ((attempt: number) => Promise<void>) | undefined;
}

/** Which moment of an aggregate to show. */
export interface AggregateMoment {
  /** As it was at this version; at the last one when there is no such version yet. */
  readonly version?: number | undefined;
  /** Only what had happened by this moment: events whose `timestamp` is not later. */
  readonly at?: Date | undefined;
  readonly transaction?: Transaction | undefined;
}

/** Who commands, why, and under what conditions. The envelope's fields go into every event that follows. */
export interface CommandContext
  extends Pick<
    EventInput,
    "userId" | "createdBy" | "source" | "requestId" | "correlationId" | "causationId" | "metadata"
  > {
  /** Refuse the command unless the aggregate is at this version, and don't try again: for who has shown it to a person. */
  readonly expectedVersion?: number | undefined;
  /** The same command with the same key is carried out once, and answered alike each time. */
  readonly commandKey?: string | undefined;
  /** Decide and append in this transaction. With the embedded engine, needed whenever one is open. */
  readonly transaction?: Transaction | undefined;
}

/** What a command led to. */
export interface CommandResult<State> extends AggregateState<State> {
  /** What was stored for it, none when nothing was to change. */
  readonly events: StreamAppendResult["events"];
  /** The command had been carried out before, under the same key. */
  readonly repeated: boolean;
}

/** Loads aggregates of one kind, and carries out commands on them. */
export interface AggregateRepository<State, Command> {
  /**
   * The aggregate as its events have made it, now or at another moment. Version 0 when nothing has happened to it.
   * @throws InvalidMomentError when `at` is no moment; RangeError when `version` is no whole number from 0.
   */
  load(aggregateId: string, moment?: AggregateMoment): Promise<AggregateState<State>>;
  /**
   * Loads, decides, appends what was decided if nobody has been faster, and otherwise begins anew.
   * @throws CommandRefusedError when a rule forbids it.
   * @throws AggregateConflictError when others were faster each time.
   * @throws OptimisticLockError when it is not at `expectedVersion`.
   * @throws EventValidationError when the decider decides an event that is not valid.
   * @throws StreamClosedError
   */
  execute(aggregateId: string, command: Command, context?: CommandContext): Promise<CommandResult<State>>;
  /** How many snapshots this process did not take because what is read back would differ from the state. */
  skippedSnapshots(): number;
}

/** A repository of aggregates, on any event store. */
export function createAggregateRepository<
  State extends JsonObject,
  Command extends AggregateCommand,
  Event extends DecidedEvent,
>(options: AggregateRepositoryOptions<State, Command, Event>): AggregateRepository<State, Command> {
  const { store, decider, attempts = 5, pause = randomPause } = options;
  const keeper = options.snapshots === undefined ? undefined : new SnapshotKeeper(decider, options.snapshots);
  const streamOf = (aggregateId: string): StreamName => ({ aggregateType: decider.name, aggregateId });

  async function fold(
    stream: StreamName,
    from: AggregateState<State>,
    { version, at, transaction }: AggregateMoment,
  ): Promise<AggregateState<State> | undefined> {
    let current = from;
    // From the snapshot's own event on: the stream must hold the very event that the snapshot ends with.
    const events = store.readStream(stream, {
      fromVersion: Math.max(1, from.version),
      toVersion: version,
      transaction,
    });
    let isSameHistory = from.version === 0;
    for await (const event of events) {
      if (!isSameHistory) {
        if (event.id !== from.eventId) return undefined;
        isSameHistory = true;
      } else if (at === undefined || Date.parse(event.timestamp) <= at.valueOf()) {
        current = applyEvent(decider, current, event);
      }
    }
    return isSameHistory ? current : undefined;
  }

  async function load(aggregateId: string, moment: AggregateMoment = {}): Promise<AggregateState<State>> {
    const stream = streamOf(aggregateId);
    const { version = Number.POSITIVE_INFINITY, at, transaction } = moment;
    if (at !== undefined) checkMoment("at", at);
    if (moment.version !== undefined && !(Number.isSafeInteger(version) && version >= 0)) {
      throw new RangeError(`A version is a whole number from 0, not ${version}.`);
    }
    const snapshot = at === undefined ? await keeper?.read(stream, transaction) : undefined;
    if (snapshot !== undefined && snapshot.version <= version) {
      const current = await fold(stream, snapshot, moment);
      if (current !== undefined) {
        if (transaction === undefined) await keeper?.keep(stream, snapshot.version, current);
        return current;
      }
    }
    const current = (await fold(stream, initialAggregate(decider), moment)) ?? initialAggregate(decider);
    const isNow = at === undefined && moment.version === undefined && transaction === undefined;
    if (isNow) await keeper?.keep(stream, 0, current);
    return current;
  }

  /** What the command led to when it was carried out under this key; undefined when it was not. */
  async function findRepeated(
    stream: StreamName,
    idOf: (place: number) => string,
    transaction: Transaction | undefined,
  ): Promise<CommandResult<State> | undefined> {
    // The look-up knows nothing of an open transaction, in which the stream itself is read instead.
    if (transaction === undefined) {
      const found = await store.findDuplicates([{ id: idOf(0), createdBy: "" }]);
      if (found.size === 0) return undefined;
    }
    const events: CommandResult<State>["events"][number][] = [];
    let current: AggregateState<State> = initialAggregate(decider);
    for await (const event of store.readStream(stream, { transaction })) {
      // What one command led to stands together.
      const isOfCommand = event.id === idOf(events.length);
      if (events.length > 0 && !isOfCommand) break;
      current = applyEvent(decider, current, event);
      if (!isOfCommand) continue;
      const { id, position, streamVersion } = event;
      events.push({ id, position, streamVersion, duplicate: true });
    }
    return events.length === 0 ? undefined : { ...current, events, repeated: true };
  }

  async function attempt(
    stream: StreamName,
    command: Command,
    context: CommandContext,
  ): Promise<CommandResult<State>> {
    const { expectedVersion, commandKey, transaction, ...envelope } = context;
    const before = await load(stream.aggregateId, { transaction });
    if (expectedVersion !== undefined && expectedVersion !== before.version) {
      throw new OptimisticLockError(stream, expectedVersion, before.version);
    }
    const decided = callAtOnce(decider.name, () => decider.decide(command, before.state));
    if (decided.length === 0) return { ...before, events: [], repeated: false };
    const inputs: StreamEventInput[] = decided.map(({ type, data }, place) => ({
      ...envelope,
      type,
      data,
      ...(commandKey !== undefined && { id: commandEventId(stream, command.type, commandKey, place) }),
    }));
    const result = await store.appendToStream(stream, before.version, inputs, { transaction });
    let current: AggregateState<State> = before;
    for (const [place, event] of decided.entries()) {
      const { id = "", streamVersion = 0 } = result.events[place] ?? {};
      current = applyEvent(decider, current, { ...event, id, streamVersion });
    }
    return { ...current, events: result.events, repeated: false };
  }

  async function execute(
    aggregateId: string,
    command: Command,
    context: CommandContext = {},
  ): Promise<CommandResult<State>> {
    const stream = streamOf(aggregateId);
    const { commandKey, expectedVersion, transaction } = context;
    const repeated = async () =>
      commandKey === undefined
        ? undefined
        : findRepeated(
            stream,
            (place) => commandEventId(stream, command.type, commandKey, place),
            transaction,
          );
    const before = await repeated();
    if (before !== undefined) return before;
    for (let count = 1; ; count += 1) {
      try {
        return await attempt(stream, command, context);
      } catch (error) {
        // Sent twice at the same moment, the slower one may meet the traces of the faster: that is its answer.
        const meanwhile = await repeated();
        if (meanwhile !== undefined) return meanwhile;
        if (!(error instanceof OptimisticLockError) || expectedVersion !== undefined) throw error;
        if (count >= attempts) throw new AggregateConflictError(stream, count, { cause: error });
        await pause(count);
      }
    }
  }

  return { load, execute, skippedSnapshots: () => keeper?.skipped ?? 0 };
}

async function randomPause(attempt: number): Promise<void> {
  await new Promise((done) => setTimeout(done, Math.random() * 5 * 2 ** attempt));
}
