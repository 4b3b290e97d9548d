import { asOfQuery, DEFAULT_PAGE_SIZE, MAX_AS_OF_EVENTS, projectionPath } from "@synap/types/http";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { Problem } from "../../problems/problem.ts";
import { sendPage } from "../page-response.ts";
import { jsonResponse, readPathParameter, readQuery } from "../route-registration.ts";
import { registerAdminRoute } from "./admin-route.ts";

/** Number of failed events that are listed. */
const MAX_FAILED = 100;

/** GET /api/v1/admin/projections/{name}/as-of */
export function projectionAsOfRoute(app: ApiApp, dependencies: ApiDependencies): void {
  const { admin, pages } = dependencies;
  registerAdminRoute(
    app,
    {
      method: "get",
      path: "/api/v1/admin/projections/{name}/as-of",
      operationId: "projectionAsOf",
      summary: "Get the rows of a read model as they were",
      description:
        "At a position of the log, or at a moment, by when events were stored: give one of the two. Folds the events up to " +
        `then with the newest version of the projection, at most ${MAX_AS_OF_EVENTS} of the log.`,
      request: { params: projectionPath, query: asOfQuery },
      responses: { 200: jsonResponse("The rows, in the order of their keys.", "ProjectionAsOf") },
      problems: [
        "parameter-invalid",
        "moment-in-future",
        "projection-not-found",
        "as-of-too-long",
        "too-many-pages",
      ],
    },
    (context) => {
      const name = readPathParameter(context, "name", projectionPath.shape.name);
      const { position, moment, limit: maxRows = DEFAULT_PAGE_SIZE } = readQuery(context, asOfQuery);
      if ((position === undefined) === (moment === undefined)) {
        throw new Problem("parameter-invalid", 'Give "position" or "moment", and not both.', {
          errors: [{ path: "moment", code: "parameter-invalid", reason: "must be given, or position" }],
        });
      }
      const at = position === undefined ? { moment: moment ?? "" } : { position };
      return sendPage(context, pages, async (maxBytes) => {
        const found = await admin.projections.asOf(name, at, {
          maxRows,
          maxBytes,
          maxEvents: MAX_AS_OF_EVENTS,
        });
        const tables = Object.entries(found.rows).map(([table, rows]) => ({
          table,
          rows,
          isCut: found.cut.includes(table),
        }));
        const failed = found.failed.slice(0, MAX_FAILED);
        return { body: { projection: name, events: found.events, tables, failed } };
      });
    },
  );
}
