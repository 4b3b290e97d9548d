import { type DeadLetter, descendingPages } from "@synap/database";
import { DEFAULT_PAGE_SIZE, deadLetterPath, deadLetterQuery } from "@synap/types/http";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { Problem } from "../../problems/problem.ts";
import { checkFilterNames } from "../named-filter.ts";
import { sendPage } from "../page-response.ts";
import { json, jsonResponse, readPathParameter, readQuery, refuseQuery } from "../route-registration.ts";
import { registerAdminRoute } from "./admin-route.ts";

/** GET /api/v1/admin/dead-letters and GET /api/v1/admin/dead-letters/{id} */
export function deadLetterRoutes(app: ApiApp, dependencies: ApiDependencies): void {
  const { pages } = dependencies;
  const { deadLetters } = dependencies.admin;
  registerAdminRoute(
    app,
    {
      method: "get",
      path: "/api/v1/admin/dead-letters",
      operationId: "listDeadLetters",
      summary: "List dead letters: events that a handler failed on",
      description:
        "Newest first, without the events themselves. A page may hold fewer than `limit` when the events are large; " +
        "`nextCursor` is present when there are more.",
      request: { query: deadLetterQuery },
      responses: { 200: jsonResponse("One page of dead letters.", "DeadLetterPage") },
      problems: ["parameter-invalid", "filter-unknown", "cursor-invalid", "too-many-pages"],
    },
    async (context) => {
      const { limit = DEFAULT_PAGE_SIZE, cursor, ...filter } = readQuery(context, deadLetterQuery);
      await checkFilterNames(dependencies, filter);
      const { before, next } = descendingPages("dead-letters", filter, cursor);
      return sendPage(context, pages, async (maxBytes) => {
        const page = await deadLetters.page({ ...filter, before, limit, maxBytes });
        const further = next(page.isCut ? page.deadLetters.at(-1)?.id : undefined);
        return { body: { deadLetters: page.deadLetters.map(summarise), ...further } };
      });
    },
  );
  registerAdminRoute(
    app,
    {
      method: "get",
      path: "/api/v1/admin/dead-letters/{id}",
      operationId: "getDeadLetter",
      summary: "Get one dead letter with its event",
      request: { params: deadLetterPath },
      responses: { 200: jsonResponse("The dead letter.", "DeadLetter") },
      problems: ["parameter-invalid", "dead-letter-not-found"],
    },
    async (context) => {
      refuseQuery(context);
      const id = readPathParameter(context, "id", deadLetterPath.shape.id);
      const {
        deadLetters: [deadLetter],
      } = await deadLetters.page({ id, limit: 1 });
      if (deadLetter === undefined)
        throw new Problem("dead-letter-not-found", `There is no dead letter ${id}.`);
      return json(context, 200, { ...summarise(deadLetter), event: deadLetter.event });
    },
  );
}

/** Replaces the event of a dead letter by its type. */
function summarise({ event, ...deadLetter }: DeadLetter): object {
  const type = typeof event === "object" && event !== null && "type" in event ? event.type : undefined;
  return { ...deadLetter, ...(typeof type === "string" && { eventType: type }) };
}
