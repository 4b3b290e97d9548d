import { descendingPages } from "@synap/database";
import { defineReadModel } from "@synap/handlers";
import { DEFAULT_PAGE_SIZE, READ_MODEL_REQUESTS, READ_MODEL_RESOURCES } from "@synap/types/http";
import { notesOf } from "./notes-of.ts";

/** A user's notes over HTTP. */
export const notesReadModel = defineReadModel({
  path: "notes",
  description: "Notes of a user, newest first",
  parameters: READ_MODEL_REQUESTS.notes.query,
  response: READ_MODEL_RESOURCES.Notes,
  async read(session, { userId, cursor, limit = DEFAULT_PAGE_SIZE }, { maxBytes }) {
    const { before, next } = descendingPages("notes", { userId }, cursor);
    const { notes, isCut } = await notesOf(session, userId, { limit, before, maxBytes });
    return { notes, ...next(isCut ? notes.at(-1)?.position : undefined) };
  },
});
