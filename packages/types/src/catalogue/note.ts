import { z } from "zod";
import { defineEventType } from "../event-types/define-event-type.ts";
import { shortText } from "./fields.ts";

const note = {
  content: z.string().min(1),
  title: shortText.optional(),
  tags: z.array(z.string().min(1).max(100)).max(100).optional(),
};
const example = { content: "Acme want the pumps a week earlier", title: "Acme", tags: ["important"] };

/** The request to create a note. */
export const noteCreationRequested = defineEventType({
  name: "note.creation.requested",
  description: "Somebody requested a note.",
  schema: z.strictObject(note),
  example,
});

/** The creation of a note. */
export const noteCreationCompleted = defineEventType({
  name: "note.creation.completed",
  description: "A note was created, with this content.",
  schema: z.strictObject(note),
  example,
});

/** Events of creating a note. Stream: the note, from the request on. */
export const noteEventTypes = [noteCreationRequested, noteCreationCompleted] as const;
