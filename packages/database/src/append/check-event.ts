import { checkTimestampWindow, type EventCatalogue, type EventIssue, type SynapEvent } from "@synap/types";

/** What an event is checked against at the store's door. */
export interface EventCheck {
  readonly catalogue: EventCatalogue;
  readonly clock: () => Date;
  readonly lateness?: number | undefined;
  readonly ahead?: number | undefined;
  readonly timestamps?: "live" | "backfill" | undefined;
}

/** A sound event, or what is wrong with one. */
export type CheckedEvent =
  | { readonly ok: true; readonly event: SynapEvent }
  | { readonly ok: false; readonly id: string; readonly issues: readonly EventIssue[] };

/** The single point of validation before an event is stored. */
export function checkEvent(event: unknown, check: EventCheck): CheckedEvent {
  const reading = check.catalogue.safeParseSynapEvent(event);
  if (!reading.ok) return { ok: false, id: idOf(event), issues: reading.issues };
  if (check.timestamps === "backfill") return reading;
  const { clock, lateness, ahead } = check;
  const issue = checkTimestampWindow(reading.event, { now: clock(), lateness, ahead });
  return issue === undefined ? reading : { ok: false, id: reading.event.id, issues: [issue] };
}

/** Events may come from JavaScript, or from an old queue: even the id may be missing. */
function idOf(event: unknown): string {
  const id = typeof event === "object" && event !== null && "id" in event ? event.id : undefined;
  return typeof id === "string" ? id : "";
}
