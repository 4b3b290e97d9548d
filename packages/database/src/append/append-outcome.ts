import type { EventIssue, StoredEvent, SynapEvent } from "@synap/types";
import { frozenCopy } from "@synap/types/internal";
import { sqlState } from "../connection/database-errors.ts";

/** The outcome of one event. */
export type AppendOutcome =
  | {
      readonly status: "stored";
      readonly id: string;
      readonly position: number;
      readonly streamVersion: number;
    }
  | {
      readonly status: "duplicate";
      /** Id of the event that was stored first: another one, if an idempotency key made it a duplicate. */
      readonly id: string;
      readonly position: number;
      readonly streamVersion: number;
    }
  | { readonly status: "rejected"; readonly id: string; readonly issues: readonly EventIssue[] };

/** The outcome of one event, and when it was stored. */
export interface AppendedEvent {
  readonly outcome: AppendOutcome;
  /** In the form of an event's `timestamp`; undefined unless it is stored now. */
  readonly recordedAt?: string;
}

/**
 * The events that were stored, as they are stored: frozen copies, because the sender's own objects are the sender's. Made
 * only for those who ask, since a copy of each takes its time.
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

/** The outcome of an event that is not stored. */
export function rejected(id: string, ...issues: readonly EventIssue[]): AppendOutcome {
  return { status: "rejected", id, issues };
}

/** The issue of an event that PostgreSQL refused although it had passed the catalogue. */
export function refusedByDatabase(error: unknown, path = ""): EventIssue {
  const message = error instanceof Error ? error.message : String(error);
  return {
    path,
    code: "refused-by-database",
    reason: `the database refused it (SQLSTATE ${sqlState(error) ?? "unknown"}): ${message}`,
  };
}
