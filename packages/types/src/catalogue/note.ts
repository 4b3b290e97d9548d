import { z } from "zod";
import { defineEventType } from "../define-event-type.ts";
import { shortText } from "./fields.ts";

const note = {
  content: z.string().min(1),
  title: shortText.optional(),
  tags: z.array(z.string().min(1).max(100)).max(100).optional(),
};
const example = { content: "Acme want the pumps a week earlier", title: "Acme", tags: ["important"] };

/** Somebody asked for a note. */
export const noteCreationRequested = defineEventType({
  name: "note.creation.requested",
  description: "Somebody asked for a note to be made.",
  schema: z.strictObject(note),
  example,
});

/** A note was made. */
export const noteCreationCompleted = defineEventType({
  name: "note.creation.completed",
  description: "A note was made, as it now reads.",
  schema: z.strictObject(note),
  example,
});

/** Creation of a note. Stream: the note, from the request on. */
export const noteEventTypes = [noteCreationRequested, noteCreationCompleted] as const;
