import type { SqlSession } from "@synap/database";
import type { StoredEvent } from "@synap/types";
import { foldRows, numberOf, textOf } from "../projections/fold-rows.ts";
import { defineProjection, type Projection } from "../projections/projection.ts";
import type { ReservationStatus } from "../reservations/reservation-decider.ts";

/** One that was not made has no row. */
type ViewedStatus = Exclude<ReservationStatus, "PENDING">;

interface ReservationRow {
  readonly id: string;
  readonly guest_id: string;
  readonly resource: string | null;
  readonly party_size: number | null;
  readonly start_date: string;
  readonly end_date: string | null;
  readonly status: ViewedStatus;
  readonly reason: string | null;
  readonly changed_at: string;
}

/** Keeps `synap_read.reservations`: every reservation as it stands, the cancelled ones too. */
export const reservationsProjection: Projection = defineProjection({
  name: "reservations",
  version: 1,
  description: "Keeps every reservation as it stands.",
  eventTypes: ["reservation.created", "reservation.rescheduled", "reservation.cancelled"],
  mode: "async",
  tables: [
    {
      name: "reservations",
      key: ["id"],
      columns: `id text NOT NULL COLLATE "C", guest_id text NOT NULL COLLATE "C", resource text COLLATE "C",
        party_size integer, start_date date NOT NULL, end_date date, status text NOT NULL, reason text,
        changed_at timestamptz(3) NOT NULL`,
      // "What has this guest reserved?" and "Who comes in these days?", for one room or for all.
      indexes: [
        "(guest_id, start_date)",
        "(start_date, id) WHERE status = 'CONFIRMED'",
        "(resource, start_date) WHERE status = 'CONFIRMED'",
      ],
    },
  ],
  apply: (events, context) =>
    foldRows<ReservationRow>(events, context, {
      table: "reservations",
      key: "id",
      columns: [
        "id",
        "guest_id",
        "resource",
        "party_size",
        "start_date",
        "end_date",
        "status",
        "reason",
        "changed_at",
      ],
      keyOf: (event) => event.aggregateId,
      evolve,
    }),
});

function evolve(row: ReservationRow | undefined, event: StoredEvent): ReservationRow | undefined {
  if (event.type === "reservation.created") {
    return {
      id: event.aggregateId,
      guest_id: textOf(event, "guestId") ?? "",
      resource: textOf(event, "resource"),
      party_size: numberOf(event, "partySize"),
      start_date: textOf(event, "startDate") ?? "",
      end_date: textOf(event, "endDate"),
      status: "CONFIRMED",
      reason: null,
      changed_at: event.timestamp,
    };
  }
  // As in the decider: what is not confirmed is neither moved nor called off.
  if (row?.status !== "CONFIRMED") return row;
  if (event.type === "reservation.rescheduled") {
    return {
      ...row,
      start_date: textOf(event, "newStartDate") ?? row.start_date,
      // A stay whose new end nobody told has none: the old one may lie before the new beginning.
      end_date: textOf(event, "newEndDate"),
      reason: textOf(event, "reason"),
      changed_at: event.timestamp,
    };
  }
  return { ...row, status: "CANCELLED", reason: textOf(event, "reason"), changed_at: event.timestamp };
}

/** A reservation as the view shows it. Days are YYYY-MM-DD. */
export interface ReservationView {
  readonly id: string;
  readonly guestId: string;
  readonly resource: string | null;
  readonly partySize: number | null;
  readonly startDate: string;
  readonly endDate: string | null;
  readonly status: ViewedStatus;
}

const COLUMNS = `id, guest_id AS "guestId", resource, party_size AS "partySize", start_date::text AS "startDate",
       end_date::text AS "endDate", status`;

/** What a guest has reserved, cancelled ones too, the latest first. At most 1,000. */
export function reservationsOfGuest(session: SqlSession, guestId: string): Promise<ReservationView[]> {
  return session.query<ReservationView>(
    `SELECT ${COLUMNS} FROM synap_read.reservations WHERE guest_id = $1 ORDER BY start_date DESC, id LIMIT 1000`,
    [guestId],
  );
}

/** The reservations that begin in these days (both included), of one resource or of all. At most 1,000. */
export function reservationsBetween(
  session: SqlSession,
  {
    from,
    to,
    resource = null,
  }: { readonly from: string; readonly to: string; readonly resource?: string | null },
): Promise<ReservationView[]> {
  return session.query<ReservationView>(
    `SELECT ${COLUMNS} FROM synap_read.reservations
      WHERE status = 'CONFIRMED' AND start_date BETWEEN $1::date AND $2::date AND ($3::text IS NULL OR resource = $3)
      ORDER BY start_date, id LIMIT 1000`,
    [from, to, resource],
  );
}
