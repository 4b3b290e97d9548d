import { notesOf } from "@synap/handlers";
import { z } from "zod";
import type { ApiApp, ApiPorts } from "../../api-context.ts";
import { before, limit, name, numbers } from "./read-model-parameters.ts";
import { readModelRoute } from "./read-model-route.ts";

const DEFAULT_LIMIT = 100;

/** GET /api/v1/notes */
export function notesRoute(app: ApiApp, ports: ApiPorts): void {
  readModelRoute(app, ports, {
    path: "/api/v1/notes",
    operationId: "listNotes",
    summary: "Somebody's notes, the last written first",
    query: z.strictObject({ userId: name.describe("Whose notes."), before, limit: limit(DEFAULT_LIMIT) }),
    component: "Notes",
    read: async (session, { userId, ...page }, maxBytes) => {
      const { limit: size = DEFAULT_LIMIT, before: position } = numbers(page, "limit", "before");
      const { notes, isCut } = await notesOf(session, userId, { limit: size, before: position, maxBytes });
      const last = isCut ? notes.at(-1) : undefined;
      return { notes, ...(last !== undefined && { nextBefore: last.position }) };
    },
  });
}
