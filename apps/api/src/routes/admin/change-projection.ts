import { emptyBody, projectionPath } from "@synap/types/http";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { JSON_BODY_PROBLEMS, readOptionalJsonBody } from "../../body/read-body.ts";
import { json, jsonBody, jsonResponse } from "../route-registration.ts";
import { registerAdminRoute } from "./admin-route.ts";
import { readProjectionName } from "./projection-name.ts";

/** POST /api/v1/admin/projections/{name}/pause and .../resume */
export function changeProjectionRoutes(app: ApiApp, dependencies: ApiDependencies): void {
  const { admin, configuration, logger } = dependencies;
  const changes = [
    {
      change: "pause",
      summary: "Pause a projection",
      description: "Its rows stay readable and unchanged. An inline projection no longer runs in appends.",
      response: jsonResponse("The live build, paused.", "ProjectionBuild"),
    },
    {
      change: "resume",
      summary: "Resume a projection",
      description: "It continues from its checkpoint.",
      response: jsonResponse("The live build, running.", "ProjectionBuild"),
    },
  ] as const;
  for (const { change, summary, description, response } of changes) {
    registerAdminRoute(
      app,
      {
        method: "post",
        path: `/api/v1/admin/projections/{name}/${change}`,
        operationId: `${change}Projection`,
        summary,
        description,
        request: { params: projectionPath, body: jsonBody(emptyBody) },
        responses: { 200: response },
        problems: [
          ...JSON_BODY_PROBLEMS,
          "body-invalid",
          "parameter-invalid",
          "projection-not-found",
          "projection-conflict",
        ],
      },
      async (context, { actor }) => {
        const name = readProjectionName(context);
        await readOptionalJsonBody(context.req.raw, emptyBody, configuration);
        const result = await admin.projections[change](name, { by: actor });
        logger.info(
          { actor, projection: name, requestId: context.get("requestId") },
          `projection: ${change}`,
        );
        return json(context, 200, result);
      },
    );
  }
}
