import type { Database, Transaction } from "@synap/database";
import { defineProjection, keyText, moment, readTable } from "@synap/handlers";
import { reservationEventTypes } from "@synap/types";
import { and, asc, between, desc, eq, sql } from "drizzle-orm";
import { date, index, integer, text } from "drizzle-orm/pg-core";

/** `synap_read.reservations`: one row per reservation, the cancelled ones too. One that was not made has no row. */
export const reservations = readTable(
  "reservations",
  {
    id: keyText("id").primaryKey(),
    guestId: keyText("guest_id").notNull(),
    resource: keyText("resource"),
    partySize: integer("party_size"),
    startDate: date("start_date").notNull(),
    endDate: date("end_date"),
    status: text("status", { enum: ["CONFIRMED", "CANCELLED"] }).notNull(),
    reason: text("reason"),
    changedAt: moment("changed_at").notNull(),
  },
  // "What has this guest reserved?" and "Who comes in these days?", for one room or for all.
  (table) => [
    index().on(table.guestId, table.startDate),
    index().on(table.startDate, table.id).where(sql`${table.status} = 'CONFIRMED'`),
    index().on(table.resource, table.startDate).where(sql`${table.status} = 'CONFIRMED'`),
  ],
);

/** Keeps {@link reservations}. */
export const reservationsProjection = defineProjection({
  name: "reservations",
  version: 1,
  description: "Keeps the state of every reservation.",
  events: reservationEventTypes,
  mode: "async",
  table: reservations,
  evolve(row, event) {
    if (event.type === "reservation.created") {
      const { guestId, resource = null, partySize = null, startDate, endDate = null } = event.data;
      const id = event.aggregateId;
      const changedAt = event.timestamp;
      return {
        id,
        guestId,
        resource,
        partySize,
        startDate,
        endDate,
        status: "CONFIRMED",
        reason: null,
        changedAt,
      };
    }
    // As in the decider: a reservation that is not confirmed is neither moved nor cancelled.
    if (row?.status !== "CONFIRMED") return row;
    if (event.type === "reservation.rescheduled") {
      const { newStartDate: startDate, newEndDate: endDate = null, reason = null } = event.data;
      // Without a new end there is none: the old one may lie before the new beginning.
      return { ...row, startDate, endDate, reason, changedAt: event.timestamp };
    }
    return { ...row, status: "CANCELLED", reason: event.data.reason, changedAt: event.timestamp };
  },
});

/** A reservation as the view shows it. Days are YYYY-MM-DD. */
export type ReservationView = Awaited<ReturnType<typeof reservationsOfGuest>>[number];

const { id, guestId, resource, partySize, startDate, endDate, status } = reservations;
const VIEW = { id, guestId, resource, partySize, startDate, endDate, status };

/** What a guest has reserved, cancelled ones too, the latest first. At most 1,000. */
export function reservationsOfGuest({ orm }: Pick<Database | Transaction, "orm">, guest: string) {
  return orm
    .select(VIEW)
    .from(reservations)
    .where(eq(guestId, guest))
    .orderBy(desc(startDate), asc(id))
    .limit(1_000);
}

/** Which reservations: those that begin in these days, both included, of one resource or of all. */
export interface ReservationsBetween {
  readonly from: string;
  readonly to: string;
  readonly resource?: string | undefined;
}

/** The confirmed reservations of some days, in the order of their beginning. At most 1,000. */
export function reservationsBetween(
  { orm }: Pick<Database | Transaction, "orm">,
  { from, to, resource: only }: ReservationsBetween,
) {
  const ofResource = only === undefined ? undefined : eq(resource, only);
  return orm
    .select(VIEW)
    .from(reservations)
    .where(and(sql`${status} = 'CONFIRMED'`, between(startDate, from, to), ofResource))
    .orderBy(asc(startDate), asc(id))
    .limit(1_000);
}
