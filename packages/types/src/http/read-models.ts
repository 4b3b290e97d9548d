import { z } from "zod";
import { reservationStatus } from "../catalogue/reservation.ts";
import {
  areInOrder,
  cursorParameter,
  DEFAULT_PAGE_SIZE,
  dayParameter,
  limitParameter,
  modelHeaders,
  NOT_IN_ORDER,
  nameParameter,
  nextCursor,
  pastParameters,
  plainText,
  type RequestSchemas,
} from "./parameter-forms.ts";

const text = z.string();
const count = z.number().int();
const moment = z.iso.datetime();
const day = z.iso.date();
const position = count.describe("Position in the log.");

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
    nextCursor,
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
    nextCursor,
  }),
} as const satisfies Record<string, z.ZodType>;

/** Request schemas of the built-in read models, by operationId. */
export const READ_MODEL_REQUESTS = {
  openLoops: {
    headers: modelHeaders,
    query: z.strictObject({
      owner: nameParameter.describe("The owner of the open loops."),
      limit: limitParameter(20),
    }),
  },
  tasks: {
    headers: modelHeaders,
    query: z.strictObject({
      owner: nameParameter.optional().describe("Tasks assigned to this person. Default: everybody's."),
      limit: limitParameter(DEFAULT_PAGE_SIZE),
    }),
  },
  reservations: {
    headers: modelHeaders,
    query: z
      .strictObject({
        guest: nameParameter.optional().describe("Reservations of this guest, including cancelled ones."),
        from: dayParameter.optional().describe("Reservations that begin on this day or later."),
        to: dayParameter.optional().describe("Reservations that begin on this day or earlier."),
        resource: nameParameter.optional().describe("With from and to: reservations of this resource."),
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
        message: "can be used with from and to only",
      })
      .refine(areInOrder, NOT_IN_ORDER),
  },
  notes: {
    headers: modelHeaders,
    query: z.strictObject({
      userId: nameParameter.optional().describe("Notes of this user. Default: everybody's."),
      createdBy: plainText(134)
        .optional()
        .describe("Notes whose latest event has this creator, for example `agent:planner`."),
      cursor: cursorParameter,
      limit: limitParameter(DEFAULT_PAGE_SIZE),
    }),
  },
  auditLog: {
    headers: modelHeaders,
    query: z
      .strictObject({
        // Room for the longest actor: "agent:" and a name.
        actor: plainText(256)
          .optional()
          .describe("Entries of this actor: `user:{id}`, `agent:{name}` or `system`."),
        subjectType: nameParameter.optional().describe("Entries of this aggregate type; with subjectId."),
        subjectId: nameParameter.optional().describe("Entries of this aggregate; with subjectType."),
        cursor: cursorParameter,
        limit: limitParameter(DEFAULT_PAGE_SIZE),
      })
      .refine(({ subjectType, subjectId }) => (subjectType === undefined) === (subjectId === undefined), {
        path: ["subjectType"],
        message: "and subjectId must be given together",
      }),
  },
  compliance: {
    headers: modelHeaders,
    query: z
      .strictObject({
        from: dayParameter.describe("First day, in UTC."),
        to: dayParameter.describe("Last day (inclusive), in UTC."),
      })
      .refine(areInOrder, NOT_IN_ORDER),
  },
} as const satisfies Record<string, RequestSchemas>;

/** The same as the operations of the API take them: each with the moment of its rows. */
export const READ_MODEL_OPERATIONS = {
  openLoops: { headers: modelHeaders, query: READ_MODEL_REQUESTS.openLoops.query.safeExtend(pastParameters) },
  tasks: { headers: modelHeaders, query: READ_MODEL_REQUESTS.tasks.query.safeExtend(pastParameters) },
  reservations: {
    headers: modelHeaders,
    query: READ_MODEL_REQUESTS.reservations.query.safeExtend(pastParameters),
  },
  notes: { headers: modelHeaders, query: READ_MODEL_REQUESTS.notes.query.safeExtend(pastParameters) },
  auditLog: { headers: modelHeaders, query: READ_MODEL_REQUESTS.auditLog.query.safeExtend(pastParameters) },
  compliance: {
    headers: modelHeaders,
    query: READ_MODEL_REQUESTS.compliance.query.safeExtend(pastParameters),
  },
} as const satisfies Record<string, RequestSchemas>;
