import type { StreamName } from "@synap/database";
import { isErrorOf } from "../error-copies.ts";

/** A decider is defined wrongly: a mistake in the program. */
export class DeciderDefinitionError extends Error {
  override readonly name = "DeciderDefinitionError";
  readonly code = "DECIDER_INVALID";

  constructor(decider: string, reason: string, options?: ErrorOptions) {
    super(`Decider "${decider}": ${reason}`, options);
  }
}

/** A business rule forbids the command in this state. The same command may be possible later. */
export class CommandRefusedError<Rule extends string = string> extends Error {
  override readonly name = "CommandRefusedError";
  readonly code = "COMMAND_REFUSED";
  /** Which rule, in kebab case, stable across releases, for programs to decide on. */
  readonly rule: Rule;

  constructor(rule: Rule, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.rule = rule;
  }

  /** Also those of another copy of this package, which a bundled config brings along. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: the class at the right of instanceof, which may be a subclass
    return isErrorOf(this, CommandRefusedError, value, "COMMAND_REFUSED");
  }
}

/**
 * The state of an aggregate can't be kept as a snapshot, because what is read back would be another one. Aggregates of this
 * type are folded from all their events each time.
 */
export class SnapshotSkippedError extends Error {
  override readonly name = "SnapshotSkippedError";
  readonly code = "SNAPSHOT_SKIPPED";
  readonly stream: StreamName;

  constructor(stream: StreamName, reason: string) {
    const { aggregateType, aggregateId } = stream;
    super(`No snapshots of ${aggregateType} ${JSON.stringify(aggregateId)}: ${reason}`);
    this.stream = stream;
  }
}

/** Others changed the aggregate again and again between its being read and being written. Trying later may work. */
export class AggregateConflictError extends Error {
  override readonly name = "AggregateConflictError";
  readonly code = "AGGREGATE_CONFLICT";
  readonly stream: StreamName;
  /** How often it was tried in all. */
  readonly attempts: number;

  constructor(stream: StreamName, attempts: number, options?: ErrorOptions) {
    super(
      `${stream.aggregateType} ${JSON.stringify(stream.aggregateId)} was changed by others ${attempts} times in a row.`,
      options,
    );
    this.stream = stream;
    this.attempts = attempts;
  }
}
