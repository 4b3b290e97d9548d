import { z } from "zod";
import { defineEventType } from "../define-event-type.ts";

export const noteEventTypes = [
  defineEventType({
    name: "note.creation.requested",
    description: "Somebody asked for a note to be made.",
    schema: z.strictObject({
      content: z.string().min(1),
      title: z.string().min(1).optional(),
      tags: z.array(z.string().min(1)).optional(),
    }),
    example: { content: "Call Acme about the late delivery", title: "Acme", tags: ["important"] },
  }),
  defineEventType({
    name: "note.creation.completed",
    description: "A note was made.",
    schema: z.strictObject({
      content: z.string().min(1),
      title: z.string().min(1).optional(),
      tags: z.array(z.string().min(1)).optional(),
    }),
    example: { content: "Call Acme about the late delivery", title: "Acme", tags: ["important"] },
  }),
] as const;
