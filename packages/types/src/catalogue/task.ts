import { z } from "zod";
import { defineEventType } from "../event-types/define-event-type.ts";
import { day, identifier, shortText } from "./fields.ts";

/** Events of a task. Stream: the task. */
export const taskEventTypes = [
  defineEventType({
    name: "task.created",
    description: "A task was created.",
    schema: z.strictObject({
      title: shortText,
      description: z.string().optional(),
      assigneeId: identifier.optional(),
      dueDate: day.optional(),
      priority: z.enum(["low", "normal", "high"]).optional(),
    }),
    example: { title: "Send Acme the new delivery date", assigneeId: "user-9", dueDate: "2026-03-05" },
  }),
  defineEventType({
    name: "task.assigned",
    description: "A task was assigned to somebody.",
    schema: z.strictObject({ assigneeId: identifier, previousAssigneeId: identifier.optional() }),
    example: { assigneeId: "user-12", previousAssigneeId: "user-9" },
  }),
  defineEventType({
    name: "task.completed",
    description: "A task was completed.",
    schema: z.strictObject({ outcome: z.string().optional() }),
    example: { outcome: "Acme agreed to Thursday" },
  }),
] as const;
