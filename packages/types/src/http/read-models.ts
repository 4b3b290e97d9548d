import { z } from "zod";
import { reservationStatus } from "../catalogue/reservation.ts";

const text = z.string();
const count = z.number().int();
const moment = z.iso.datetime();
const day = z.iso.date();
const position = count.describe("Position in the log.");
const nextBefore = position.optional().describe("`before` of the next page; absent on the last page.");

/** The resources of the built-in read models, by their names in the OpenAPI document. */
export const READ_MODEL_RESOURCES = {
  OpenLoops: z.object({
    openLoops: z.array(
      z.object({
        id: text.describe("`open_loop/{id}` or `task/{id}`: its stream."),
        ownerId: text,
        title: text,
        status: z.enum(["urgent", "waiting", "snoozed"]),
        score: count.describe("0 to 1000; higher is more urgent."),
        entityType: text.optional(),
        entityId: text.optional(),
        snoozedUntil: moment.optional(),
        dueDate: day.optional(),
        openedAt: moment,
      }),
    ),
    counts: z.object({ urgent: count, waiting: count, snoozed: count }),
  }),
  Tasks: z.object({
    tasks: z.array(
      z.object({
        id: text,
        title: text,
        assigneeId: text.nullable(),
        dueDate: day.nullable(),
        priority: text,
        createdAt: moment,
      }),
    ),
  }),
  Reservations: z.object({
    reservations: z.array(
      z.object({
        id: text,
        guestId: text,
        resource: text.nullable(),
        partySize: count.nullable(),
        startDate: day,
        endDate: day.nullable(),
        status: reservationStatus.exclude(["PENDING"]),
      }),
    ),
  }),
  Compliance: z.object({
    statistics: z.array(
      z.object({
        eventType: text,
        actorKind: text.describe("`user`, `agent` or `system`."),
        events: count,
        withUser: count.describe("Events with a `userId`."),
        withCorrelation: count.describe("Events with a `correlationId`."),
      }),
    ),
  }),
  AuditLog: z.object({
    entries: z.array(
      z.object({
        position,
        happenedAt: moment,
        recordedAt: moment,
        eventId: z.uuid(),
        actor: text,
        userId: text.nullable(),
        action: text.describe("The event's type."),
        subjectType: text,
        subjectId: text,
        source: text,
        correlationId: text.nullable(),
      }),
    ),
    nextBefore,
  }),
  Notes: z.object({
    notes: z.array(
      z.object({
        id: text,
        userId: text.nullable(),
        title: text.nullable(),
        content: text,
        tags: z.array(text),
        createdBy: text,
        createdAt: moment,
        correlationId: text.nullable(),
        eventId: z.uuid(),
        position,
      }),
    ),
    nextBefore,
  }),
} as const satisfies Record<string, z.ZodType>;
