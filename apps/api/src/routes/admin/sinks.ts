import { emptyBody, sinkPath } from "@synap/types/http";
import type { ApiApp, ApiContext, ApiDependencies } from "../../api-dependencies.ts";
import { JSON_BODY_PROBLEMS, readOptionalJsonBody } from "../../body/read-body.ts";
import { json, jsonBody, jsonResponse, readPathParameter, refuseQuery } from "../route-registration.ts";
import { registerAdminRoute } from "./admin-route.ts";

/** GET /api/v1/admin/sinks and /{name}, POST .../{name}/pause and .../resume */
export function sinkRoutes(app: ApiApp, { admin, configuration, logger }: ApiDependencies): void {
  registerAdminRoute(
    app,
    {
      method: "get",
      path: "/api/v1/admin/sinks",
      operationId: "listSinks",
      summary: "List sinks with their state and progress",
      responses: { 200: jsonResponse("Every sink of the application.", "Sinks") },
    },
    async (context) => {
      refuseQuery(context);
      return json(context, 200, { sinks: await admin.sinks.status() });
    },
  );
  registerAdminRoute(
    app,
    {
      method: "get",
      path: "/api/v1/admin/sinks/{name}",
      operationId: "getSink",
      summary: "Get one sink with its state and progress",
      request: { params: sinkPath },
      responses: { 200: jsonResponse("The sink.", "Sink") },
      problems: ["parameter-invalid", "sink-not-found"],
    },
    async (context) => json(context, 200, await admin.sinks.get(readName(context))),
  );
  const changes = [
    {
      change: "pause",
      summary: "Pause a sink",
      description: "The process that runs it finishes the batch under way and closes the destination.",
      response: jsonResponse("The sink, paused.", "Sink"),
    },
    {
      change: "resume",
      summary: "Resume a sink",
      description: "It continues from its checkpoint.",
      response: jsonResponse("The sink, which a process runs or will run.", "Sink"),
    },
  ] as const;
  for (const { change, summary, description, response } of changes) {
    registerAdminRoute(
      app,
      {
        method: "post",
        path: `/api/v1/admin/sinks/{name}/${change}`,
        operationId: `${change}Sink`,
        summary,
        description,
        request: { params: sinkPath, body: jsonBody(emptyBody) },
        responses: { 200: response },
        problems: [...JSON_BODY_PROBLEMS, "body-invalid", "parameter-invalid", "sink-not-found"],
      },
      async (context, { actor }) => {
        const name = readName(context);
        await readOptionalJsonBody(context.req.raw, emptyBody, configuration);
        const result = await admin.sinks[change](name, { by: actor });
        logger.info({ actor, sink: name, requestId: context.get("requestId") }, `sink: ${change}`);
        return json(context, 200, result);
      },
    );
  }
}

/** Returns the name of the sink in the address. @throws Problem for an invalid name, or when there are parameters */
function readName(context: ApiContext): string {
  refuseQuery(context);
  return readPathParameter(context, "name", sinkPath.shape.name);
}
