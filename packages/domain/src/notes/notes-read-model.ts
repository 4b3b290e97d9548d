import { defineReadModel } from "@synap/handlers";
import { DEFAULT_PAGE_SIZE, READ_MODEL_REQUESTS, READ_MODEL_RESOURCES } from "@synap/types/http";
import { notesOf } from "./notes-of.ts";

/** A user's notes over HTTP. */
export const notesReadModel = defineReadModel({
  path: "notes",
  description: "Notes of a user, newest first",
  parameters: READ_MODEL_REQUESTS.notes.query,
  answer: READ_MODEL_RESOURCES.Notes,
  async read(session, { userId, before, limit = DEFAULT_PAGE_SIZE }, { maxBytes }) {
    const { notes, isCut } = await notesOf(session, userId, { limit, before, maxBytes });
    const last = isCut ? notes.at(-1) : undefined;
    return { notes, ...(last !== undefined && { nextBefore: last.position }) };
  },
});
