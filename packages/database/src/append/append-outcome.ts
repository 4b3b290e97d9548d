import type { EventIssue, StoredEvent, SynapEvent } from "@synap/types";
import { sqlState } from "../connection/database-errors.ts";
import { isoFromEpoch } from "../connection/moments.ts";
import type { AppendRow } from "./append-events.ts";

/** What became of one event. A duplicate tells where its first is; a rejected one, why. */
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

/** What the database made of one event. */
export interface AppendedEvent {
  readonly outcome: AppendOutcome;
  /** When the store took it, form as an event's `timestamp`; undefined unless it is stored now. */
  readonly recordedAt?: string;
}

/** The events that were stored, as they are stored. Made only for those who ask: a copy of each takes its time. */
export function storedEvents(
  events: readonly SynapEvent[],
  appended: readonly AppendedEvent[],
): StoredEvent[] {
  return events.flatMap((event, index) => {
    const { outcome, recordedAt } = appended[index] ?? {};
    if (outcome?.status !== "stored" || recordedAt === undefined) return [];
    const { position, streamVersion } = outcome;
    return [{ ...event, position, streamVersion, recordedAt }];
  });
}

/** Reads one row of the append function's answer. */
export function readAppendRow(event: SynapEvent, row: AppendRow | undefined): AppendedEvent {
  if (row === undefined) throw new Error(`append_events said nothing about the event ${event.id}.`);
  if (row.status === "conflict") return { outcome: rejected(event.id, ID_CONFLICT) };
  if (row.status === "closed") return { outcome: rejected(event.id, STREAM_CLOSED) };
  const { id, position, stream_version: streamVersion } = row;
  if (position === null || streamVersion === null) throw new Error(`append_events gave ${id} no position.`);
  if (row.status === "duplicate") return { outcome: { status: "duplicate", id, position, streamVersion } };
  const recordedAt = row.recorded_at === null ? event.timestamp : isoFromEpoch(row.recorded_at);
  return { outcome: { status: "stored", id, position, streamVersion }, recordedAt };
}

/** The outcome of an event that PostgreSQL refused although it had passed the catalogue. */
export function refusedByDatabase(event: SynapEvent, error: unknown): AppendedEvent {
  const message = error instanceof Error ? error.message : String(error);
  return {
    outcome: rejected(event.id, {
      path: "",
      code: "refused-by-database",
      reason: `the database refused it (SQLSTATE ${sqlState(error) ?? "unknown"}): ${message}`,
    }),
  };
}

/** The outcome of an event that is not stored. */
export function rejected(id: string, ...issues: readonly EventIssue[]): AppendOutcome {
  return { status: "rejected", id, issues };
}

export const ID_CONFLICT: EventIssue = {
  path: "id",
  code: "event-id-conflict",
  reason: "an event with this id and another content is stored already",
};

export const STREAM_CLOSED: EventIssue = {
  path: "aggregateId",
  code: "stream-closed",
  reason: "the stream is closed and takes no more events",
};
