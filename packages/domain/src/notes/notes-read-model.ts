import { beforeParameter, defineReadModel, limitParameter, nameParameter } from "@synap/handlers";
import { READ_MODEL_RESOURCES } from "@synap/types/http";
import { z } from "zod";
import { notesOf } from "./notes-of.ts";

const DEFAULT_LIMIT = 100;

/** A user's notes over HTTP. */
export const notesReadModel = defineReadModel({
  path: "notes",
  description: "Notes of a user, newest first",
  parameters: z.strictObject({
    userId: nameParameter.describe("The owner of the notes."),
    before: beforeParameter,
    limit: limitParameter(DEFAULT_LIMIT),
  }),
  answer: READ_MODEL_RESOURCES.Notes,
  async read(session, { userId, before, limit = DEFAULT_LIMIT }, { maxBytes }) {
    const { notes, isCut } = await notesOf(session, userId, { limit, before, maxBytes });
    const last = isCut ? notes.at(-1) : undefined;
    return { notes, ...(last !== undefined && { nextBefore: last.position }) };
  },
});
