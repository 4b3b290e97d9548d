import { projectionPath } from "@synap/types/http";
import { didYouMean } from "@synap/types/internal";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { Problem } from "../../problems/problem.ts";
import { json, jsonResponse, refuseQuery } from "../route-registration.ts";
import { registerAdminRoute } from "./admin-route.ts";
import { readProjectionName } from "./projection-name.ts";

/** GET /api/v1/admin/projections and GET /api/v1/admin/projections/{name} */
export function projectionRoutes(app: ApiApp, dependencies: ApiDependencies): void {
  const { projections } = dependencies.admin;
  registerAdminRoute(
    app,
    {
      method: "get",
      path: "/api/v1/admin/projections",
      operationId: "listProjections",
      summary: "List projections with the progress of their builds",
      responses: {
        200: jsonResponse("Every projection that this process knows or the database has.", "Projections"),
      },
    },
    async (context) => {
      refuseQuery(context);
      return json(context, 200, { projections: await projections.status() });
    },
  );
  registerAdminRoute(
    app,
    {
      method: "get",
      path: "/api/v1/admin/projections/{name}",
      operationId: "getProjection",
      summary: "Get one projection with the progress of its builds",
      request: { params: projectionPath },
      responses: { 200: jsonResponse("The projection.", "Projection") },
      problems: ["parameter-invalid", "projection-not-found"],
    },
    async (context) => {
      const name = readProjectionName(context);
      const all = await projections.status();
      const found = all.find((one) => one.name === name);
      if (found !== undefined) return json(context, 200, found);
      const meant = didYouMean(
        name,
        all.map((one) => one.name),
      );
      throw new Problem("projection-not-found", `There is no projection named "${name}"${meant}.`);
    },
  );
}
