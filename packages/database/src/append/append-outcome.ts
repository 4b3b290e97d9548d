import type { EventIssue, StoredEvent, SynapEvent } from "@synap/types";
import { frozenCopy } from "@synap/types/internal";
import { sqlState } from "../connection/database-errors.ts";

/** Maximum number of events of one append: a position has ten bits for the index. */
export const MAX_APPEND_EVENTS = 1024;

/** Outcome of the append of one event. */
export type AppendOutcome =
  | {
      readonly status: "stored";
      readonly id: string;
      readonly position: number;
      readonly streamVersion: number;
    }
  | {
      readonly status: "duplicate";
      /** Id of the event that was stored first; a different one for a duplicate by idempotency key. */
      readonly id: string;
      readonly position: number;
      readonly streamVersion: number;
    }
  | { readonly status: "rejected"; readonly id: string; readonly issues: readonly EventIssue[] };

/** Outcome of one event and the time at which it was stored. */
export interface AppendedEvent {
  readonly outcome: AppendOutcome;
  /** In the format of an event's `timestamp`; undefined unless this append stored it. */
  readonly recordedAt?: string;
}

/**
 * Returns frozen copies of the events that were stored, with their positions; the sender may still change its own objects.
 * Separate from the append, because copying takes time.
 */
export function storedEvents(
  events: readonly SynapEvent[],
  appended: readonly AppendedEvent[],
): StoredEvent[] {
  return events.flatMap((event, index) => {
    const { outcome, recordedAt } = appended[index] ?? {};
    if (outcome?.status !== "stored" || recordedAt === undefined) return [];
    const { position, streamVersion } = outcome;
    const { data, metadata } = event;
    return [
      Object.freeze({
        ...event,
        data: frozenCopy(data),
        ...(metadata !== undefined && { metadata: frozenCopy(metadata) }),
        position,
        streamVersion,
        recordedAt,
      }),
    ];
  });
}

/** Creates the outcome of an event that is not stored. */
export function rejected(id: string, ...issues: readonly EventIssue[]): AppendOutcome {
  return { status: "rejected", id, issues };
}

/** Creates the issue of an event that PostgreSQL refused although it was valid by the catalogue. */
export function refusedByDatabase(error: unknown, path = ""): EventIssue {
  const message = error instanceof Error ? error.message : String(error);
  return {
    path,
    code: "refused-by-database",
    reason: `the database refused it (SQLSTATE ${sqlState(error) ?? "unknown"}): ${message}`,
  };
}
