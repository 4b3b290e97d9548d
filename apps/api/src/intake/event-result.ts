import type { EventIssue } from "@synap/types";

/** Outcome of one event of a request. */
export type EventResult =
  /** The broker has it; it will be stored. */
  | { readonly status: "accepted"; readonly id: string }
  /** It is the same as an earlier one, whose id this is. The position is there when that one is stored already. */
  | { readonly status: "duplicate"; readonly id: string; readonly position?: number }
  /** It is not taken. Code, path and reason are those of the first issue. */
  | ({ readonly status: "rejected"; readonly issues: readonly EventIssue[] } & EventIssue)
  /** It is sound, but could not be taken: send it again. Without a code the broker did not confirm it. */
  | {
      readonly status: "unavailable";
      readonly id: string;
      readonly code?: "event-type-not-ready";
      readonly reason?: string;
    };

/** A result as a batch gives it: with the place of its event in the request, from 0. */
export type BatchResult = EventResult & { readonly index: number };

/** The result of an event with these issues, of which there is at least one. */
export function rejected(issues: readonly EventIssue[]): EventResult {
  const [first = { path: "", code: "invalid", reason: "is not valid" }] = issues;
  return { status: "rejected", ...first, issues };
}
