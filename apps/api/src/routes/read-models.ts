import { sqlState } from "@synap/database/internal";
import type { ReadModel } from "@synap/handlers";
import { componentOf } from "@synap/handlers/internal";
import type { ApiApp, ApiDependencies } from "../api-dependencies.ts";
import { Problem } from "../problems/problem.ts";
import { sendPage } from "./page-response.ts";
import {
  type ApiRoute,
  jsonResponse,
  problemResponses,
  readQuery,
  registerRoute,
} from "./route-registration.ts";

/** SQLSTATE undefined_table: of a view too. */
const UNDEFINED_TABLE = "42P01";

/** GET /api/v1/{path} of every read model. */
export function readModelRoutes(
  app: ApiApp,
  dependencies: Pick<ApiDependencies, "readModels" | "readTables" | "pages">,
): void {
  for (const model of dependencies.readModels) readModelRoute(app, dependencies, model);
}

/** Maps a missing table to the problem of a read model that no worker has created yet. */
function readModelRoute(
  app: ApiApp,
  { readTables, pages }: Pick<ApiDependencies, "readTables" | "pages">,
  model: ReadModel,
): void {
  const component = componentOf(model);
  const route: ApiRoute = {
    scope: "read-all",
    method: "get",
    path: `/api/v1/${model.path}`,
    operationId: component.slice(0, 1).toLowerCase() + component.slice(1),
    summary: model.description,
    tags: ["read models"],
    request: { query: model.parameters },
    responses: {
      200: jsonResponse("The current rows of the read model.", component),
      ...problemResponses(
        "parameter-invalid",
        "parameter-unknown",
        "cursor-invalid",
        "read-model-missing",
        "too-many-pages",
        "database-unavailable",
      ),
    },
  };
  registerRoute(app, route, async (context) => {
    const parameters = readQuery(context, model.parameters);
    return sendPage(context, pages, async (maxBytes) => ({
      body: Object(await model.read(readTables, parameters, { maxBytes }).catch(missing)),
    }));
  });
}

function missing(cause: unknown): never {
  if (sqlState(cause) !== UNDEFINED_TABLE) throw cause;
  throw new Problem(
    "read-model-missing",
    "The table of the read model does not exist yet. Start a worker whose config has its projection.",
    {
      retryAfterSeconds: 5,
      cause,
    },
  );
}
