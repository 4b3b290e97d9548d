import { reservationsBetween, reservationsOfGuest } from "@synap/handlers";
import { z } from "zod";
import type { ApiApp, ApiPorts } from "../../api-context.ts";
import { areInOrder, day, NOT_IN_ORDER, name } from "./read-model-parameters.ts";
import { readModelRoute } from "./read-model-route.ts";

const query = z
  .strictObject({
    guest: name.optional().describe("All that this guest has reserved, the cancelled ones too."),
    from: day.optional().describe("Those that begin on this day or later."),
    to: day.optional().describe("Those that begin on this day or earlier."),
    resource: name.optional().describe("With from and to: only those of this resource."),
  })
  .refine(({ from, to }) => (from === undefined) === (to === undefined), {
    path: ["from"],
    message: "and to must be given together",
  })
  .refine(({ guest, from }) => (guest === undefined) !== (from === undefined), {
    path: ["guest"],
    message: "must be given, or from and to, not both",
  })
  .refine(({ guest, resource }) => guest === undefined || resource === undefined, {
    path: ["resource"],
    message: "goes with from and to",
  })
  .refine(areInOrder, NOT_IN_ORDER);

/** GET /api/v1/reservations */
export function reservationsRoute(app: ApiApp, ports: ApiPorts): void {
  readModelRoute(app, ports, {
    path: "/api/v1/reservations",
    operationId: "listReservations",
    summary: "Reservations of a guest, or of some days",
    description: "Give guest, or from and to. At most 1,000.",
    query,
    component: "Reservations",
    read: async (session, { guest, from = "", to = "", resource }) => ({
      reservations:
        guest !== undefined
          ? await reservationsOfGuest(session, guest)
          : await reservationsBetween(session, { from, to, ...(resource !== undefined && { resource }) }),
    }),
  });
}
