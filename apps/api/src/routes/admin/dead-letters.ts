import type { DeadLetter } from "@synap/database";
import { z } from "zod";
import type { ApiApp, ApiPorts } from "../../api-context.ts";
import { Problem } from "../../problems/problem.ts";
import { plainText, wholeNumber } from "../parameter-forms.ts";
import { json, jsonAnswer, readPathParameter, readQuery } from "../route-registration.ts";
import { registerAdminRoute } from "./admin-route.ts";
import { deadLetterId } from "./dead-letter-id.ts";

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

const listQuery = z.strictObject({
  handler: plainText(128).optional().describe("Those of this handler."),
  status: z
    .enum(["open", "retried", "skipped"], 'must be "open", "retried" or "skipped"')
    .optional()
    .describe("`open`: somebody has to decide. `retried`, `skipped`: somebody has."),
  aggregateType: plainText(64).optional().describe("Those of streams of this type."),
  aggregateId: plainText(128).optional().describe("Those of streams with this id."),
  limit: wholeNumber(1, MAX_LIMIT)
    .optional()
    .describe(`How many to give, 1 to ${MAX_LIMIT}. Default ${DEFAULT_LIMIT}.`),
  cursor: deadLetterId.optional().describe("Where to go on: `nextCursor` of the page before."),
});
const noQuery = z.strictObject({});

/** GET /api/v1/admin/dead-letters and GET /api/v1/admin/dead-letters/{id} */
export function deadLetterRoutes(app: ApiApp, ports: ApiPorts): void {
  const { deadLetters } = ports.admin;
  registerAdminRoute(
    app,
    ports,
    {
      method: "get",
      path: "/api/v1/admin/dead-letters",
      operationId: "listDeadLetters",
      summary: "Events that a handler could not deal with",
      description: "Newest first, without the events themselves.",
      request: { query: listQuery },
      answers: { 200: jsonAnswer("One page of dead letters.", "DeadLetterPage") },
      problems: ["parameter-invalid"],
    },
    async (context) => {
      const { limit, cursor, ...filter } = readQuery(context, listQuery);
      const size = limit === undefined ? DEFAULT_LIMIT : Number(limit);
      const before = cursor === undefined ? undefined : Number(cursor);
      // One more than was asked for tells whether there is a next page.
      const found = await deadLetters.list({ ...filter, before, limit: size + 1 });
      const page = found.slice(0, size);
      const last = found.length > size ? page.at(-1) : undefined;
      return json(context, 200, {
        deadLetters: page.map(summarise),
        ...(last !== undefined && { nextCursor: String(last.id) }),
      });
    },
  );
  registerAdminRoute(
    app,
    ports,
    {
      method: "get",
      path: "/api/v1/admin/dead-letters/{id}",
      operationId: "getDeadLetter",
      summary: "One dead letter, with the event",
      request: { params: z.object({ id: deadLetterId }) },
      answers: { 200: jsonAnswer("The dead letter.", "DeadLetter") },
      problems: ["parameter-invalid", "dead-letter-not-found"],
    },
    async (context) => {
      readQuery(context, noQuery);
      const id = Number(readPathParameter(context, "id", deadLetterId));
      const [letter] = await deadLetters.list({ id, limit: 1 });
      if (letter === undefined) throw new Problem("dead-letter-not-found", `There is no dead letter ${id}.`);
      return json(context, 200, { ...summarise(letter), event: letter.event });
    },
  );
}

/** The letter without the event, but with its type. */
function summarise({ event, ...letter }: DeadLetter): object {
  const type = typeof event === "object" && event !== null && "type" in event ? event.type : undefined;
  return { ...letter, ...(typeof type === "string" && { eventType: type }) };
}
