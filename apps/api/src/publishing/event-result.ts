import type { EventIssue } from "@synap/types";

/** Outcome of one event of a request. */
export type EventResult =
  /** The broker has accepted the event; it will be stored. */
  | { readonly status: "accepted"; readonly id: string }
  /** Repeats an earlier event, which has this id. The position is present if that event is already stored. */
  | { readonly status: "duplicate"; readonly id: string; readonly position?: number }
  /** Not accepted. Code, path and reason are those of the first issue. */
  | ({ readonly status: "rejected"; readonly issues: readonly EventIssue[] } & EventIssue)
  /** Valid, but not accepted: send it again. Without a code, the broker did not confirm it. */
  | {
      readonly status: "unavailable";
      readonly id: string;
      readonly code?: "event-type-not-ready";
      readonly reason?: string;
    };

/** A result in a batch, with the index of its event in the request, from 0. */
export type BatchResult = EventResult & { readonly index: number };

/** Builds the result of an event with these issues, of which there is at least one. */
export function rejected(issues: readonly EventIssue[]): EventResult {
  const [first = { path: "", code: "invalid", reason: "is not valid" }] = issues;
  return { status: "rejected", ...first, issues };
}
