import type { Database, Transaction } from "@synap/database";
import { defineProjection, defineReadModel, keyText, moment, readTable } from "@synap/handlers";
import { reservationEventTypes } from "@synap/types";
import { READ_MODEL_REQUESTS, READ_MODEL_RESOURCES } from "@synap/types/http";
import { and, asc, between, desc, eq, sql } from "drizzle-orm";
import { date, index, integer, text } from "drizzle-orm/pg-core";

/** `synap_read.reservations`: one row per reservation that was created, including cancelled ones. */
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
  // The reservations of a guest, and those of a range of days, for one resource or for all.
  (table) => [
    index().on(table.guestId, table.startDate),
    index().on(table.startDate, table.id).where(sql`${table.status} = 'CONFIRMED'`),
    index().on(table.resource, table.startDate).where(sql`${table.status} = 'CONFIRMED'`),
  ],
);

/** Maintains {@link reservations}. */
export const reservationsProjection = defineProjection({
  name: "reservations",
  version: 1,
  description: "Maintains the state of every reservation.",
  events: reservationEventTypes,
  mode: "async",
  table: reservations,
  owner: { userId: "guestId" },
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
    // As in the decider, only a confirmed reservation can be rescheduled or cancelled.
    if (row?.status !== "CONFIRMED") return row;
    if (event.type === "reservation.rescheduled") {
      const { newStartDate: startDate, newEndDate: endDate = null, reason = null } = event.data;
      // Without a new end the reservation has none, because the old end may be before the new start.
      return { ...row, startDate, endDate, reason, changedAt: event.timestamp };
    }
    return { ...row, status: "CANCELLED", reason: event.data.reason, changedAt: event.timestamp };
  },
});

/** A row of the view. Days are YYYY-MM-DD. */
export type ReservationView = Awaited<ReturnType<typeof reservationsOfGuest>>[number];

const { id, guestId, resource, partySize, startDate, endDate, status } = reservations;
const VIEW = { id, guestId, resource, partySize, startDate, endDate, status };

/** Reads the reservations of a guest, including cancelled ones, latest first. At most 1,000. */
export function reservationsOfGuest({ orm }: Pick<Database | Transaction, "orm">, guest: string) {
  return orm
    .select(VIEW)
    .from(reservations)
    .where(eq(guestId, guest))
    .orderBy(desc(startDate), asc(id))
    .limit(1_000);
}

/** A range of first days, both ends included, for one resource or for all. */
export interface ReservationsBetween {
  readonly from: string;
  readonly to: string;
  readonly resource?: string | undefined;
}

/** Reads the confirmed reservations that start within a range of days, by start. At most 1,000. */
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

/** Reservations over HTTP. */
export const reservationsReadModel = defineReadModel({
  path: "reservations",
  description: "Reservations of a guest, or of a range of days: pass guest, or from and to. At most 1,000",
  writtenBy: [reservationsProjection],
  parameters: READ_MODEL_REQUESTS.reservations.query,
  response: READ_MODEL_RESOURCES.Reservations,
  ownRows: true,
  read: async (session, { guest, from = "", to = "", resource }) => ({
    reservations:
      guest !== undefined
        ? await reservationsOfGuest(session, guest)
        : await reservationsBetween(session, { from, to, resource }),
  }),
});
