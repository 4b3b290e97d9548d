import { z } from "zod";
import { defineEventType } from "../event-types/define-event-type.ts";
import { identifier, moment, shortText } from "./fields.ts";

const status = z.enum(["urgent", "waiting", "snoozed"]);
const score = z.int().min(0).max(1000).describe("Urgency: the higher, the sooner.");

/** Events of open loops: matters that their owner has not finished. Stream: the loop. */
export const openLoopEventTypes = [
  defineEventType({
    name: "open_loop.opened",
    description: "Something was opened and waits for its owner.",
    schema: z.strictObject({
      ownerId: identifier,
      title: shortText,
      status,
      score: score.optional(),
      entityType: identifier.optional(),
      entityId: identifier.optional(),
    }),
    example: {
      ownerId: "user-9",
      title: "Send the invoice to Acme Corp",
      status: "urgent",
      score: 80,
      entityType: "invoice",
      entityId: "invoice-2026-0117",
    },
  }),
  defineEventType({
    name: "open_loop.status_changed",
    description: "An open loop became urgent, was snoozed, or now waits for somebody else.",
    schema: z.strictObject({ from: status, to: status, snoozedUntil: moment.optional() }),
    example: { from: "urgent", to: "snoozed", snoozedUntil: "2026-03-09T08:00:00Z" },
  }),
  defineEventType({
    name: "open_loop.score_changed",
    description: "The urgency of an open loop was reassessed.",
    schema: z.strictObject({ score, reason: shortText.optional() }),
    example: { score: 95, reason: "Due tomorrow" },
  }),
  defineEventType({
    name: "open_loop.closed",
    description: "An open loop was finished or abandoned.",
    schema: z.strictObject({ outcome: z.enum(["done", "dropped"]) }),
    example: { outcome: "done" },
  }),
] as const;
