import type { TableDifference } from "@synap/handlers";
import {
  cutoverBody,
  dropBody,
  emptyBody,
  type ProblemCode,
  projectionPath,
  rebuildBody,
  rollbackBody,
} from "@synap/types/http";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { JSON_BODY_PROBLEMS, readJsonBody, readOptionalJsonBody } from "../../body/read-body.ts";
import { headerProblem } from "../../problems/header-problem.ts";
import { json, jsonBody, jsonResponse } from "../route-registration.ts";
import { registerAdminRoute } from "./admin-route.ts";
import { readProjectionName } from "./projection-name.ts";

const OF_A_BODY = [...JSON_BODY_PROBLEMS, "body-invalid"] as const satisfies readonly ProblemCode[];
const OF_A_PROJECTION = [
  "parameter-invalid",
  "projection-not-found",
  "projection-conflict",
] as const satisfies readonly ProblemCode[];

/** POST /api/v1/admin/projections/{name}/rebuild, .../compare, .../cutover, .../rollback and .../drop */
export function rebuildProjectionRoutes(app: ApiApp, dependencies: ApiDependencies): void {
  const { configuration, logger } = dependencies;
  const { projections } = dependencies.admin;
  const base = "/api/v1/admin/projections/{name}";
  registerAdminRoute(
    app,
    {
      method: "post",
      path: `${base}/rebuild`,
      operationId: "rebuildProjection",
      summary: "Start a new build of a projection in parallel to the live one",
      description: "The workers fill it from the first event on. GET the projection to follow its progress.",
      request: { params: projectionPath, body: jsonBody(rebuildBody) },
      responses: { 202: jsonResponse("The new build.", "ProjectionBuild") },
      problems: [...OF_A_PROJECTION, "projection-changed", ...OF_A_BODY],
    },
    async (context, { actor }) => {
      const name = readProjectionName(context);
      const { version } = await readOptionalJsonBody(context.req.raw, rebuildBody, configuration);
      const build = await projections.rebuild(name, { by: actor, ...(version !== undefined && { version }) });
      logger.info({ actor, projection: name, build: build.build }, "projection: rebuild");
      return json(context, 202, build);
    },
  );
  registerAdminRoute(
    app,
    {
      method: "post",
      path: `${base}/compare`,
      operationId: "compareProjection",
      summary: "Compare the rows of the new build with those of the live one",
      description: "Brings both builds to the same position first. Readers are not affected.",
      request: { params: projectionPath, body: jsonBody(emptyBody) },
      responses: { 200: jsonResponse("The differences.", "ProjectionComparison") },
      problems: [...OF_A_PROJECTION, "cutover-refused", ...OF_A_BODY],
    },
    async (context) => {
      const name = readProjectionName(context);
      await readOptionalJsonBody(context.req.raw, emptyBody, configuration);
      const differences = await projections.compare(name);
      return json(context, 200, { projection: name, rows: rowsOf(differences), differences });
    },
  );
  registerAdminRoute(
    app,
    {
      method: "post",
      path: `${base}/cutover`,
      operationId: "cutOverProjection",
      summary: "Make the new build of a projection the live one",
      description:
        "Swaps the builds in one transaction if the lag and the number of different rows are within bounds. The old build is kept for a rollback.",
      request: { params: projectionPath, body: jsonBody(cutoverBody) },
      responses: { 200: jsonResponse("The builds after the cutover.", "ProjectionCutover") },
      problems: [...OF_A_PROJECTION, "cutover-refused", ...OF_A_BODY],
    },
    async (context, { actor }) => {
      const name = readProjectionName(context);
      const given = await readOptionalJsonBody(context.req.raw, cutoverBody, configuration);
      const { maxLagEvents, maxDifference, compare } = given;
      const report = await projections.cutover(name, {
        by: actor,
        ...(maxLagEvents !== undefined && { maxLagEvents }),
        ...(maxDifference !== undefined && { maxDifference }),
        ...(compare !== undefined && { compare }),
      });
      logger.info({ actor, projection: name, build: report.liveBuild }, "projection: cutover");
      return json(context, 200, report);
    },
  );
  registerAdminRoute(
    app,
    {
      method: "post",
      path: `${base}/rollback`,
      operationId: "rollbackProjection",
      summary: "Roll a projection back to its previous build",
      description:
        "Swaps the two builds in one transaction. The previous build has been kept up to date. Give `from`, so that a repetition " +
        "changes nothing.",
      request: { params: projectionPath, body: jsonBody(rollbackBody) },
      responses: { 200: jsonResponse("The builds after the swap.", "ProjectionCutover") },
      problems: [...OF_A_PROJECTION, "cutover-refused", ...OF_A_BODY],
    },
    async (context, { actor }) => {
      const name = readProjectionName(context);
      const { from } = await readOptionalJsonBody(context.req.raw, rollbackBody, configuration);
      // Ignoring it would swap the builds once more when the request is repeated.
      if (from === undefined && context.req.header("idempotency-key") !== undefined)
        throw headerProblem(
          "Idempotency-Key",
          "is not kept for a rollback: name the build to leave in `from`",
        );
      const report = await projections.rollback(name, { by: actor, ...(from !== undefined && { from }) });
      logger.info({ actor, projection: name, build: report.liveBuild }, "projection: rollback");
      return json(context, 200, report);
    },
  );
  registerAdminRoute(
    app,
    {
      method: "post",
      path: `${base}/drop`,
      operationId: "dropProjectionBuild",
      summary: "Remove the new build, or the previous one",
      description: "Removes its tables and checkpoints. The live build is never removed.",
      request: { params: projectionPath, body: jsonBody(dropBody) },
      responses: { 200: jsonResponse("The removed build.", "DroppedBuild") },
      problems: [...OF_A_PROJECTION, ...OF_A_BODY],
    },
    async (context, { actor }) => {
      const name = readProjectionName(context);
      const { build } = await readJsonBody(context.req.raw, dropBody, configuration);
      await projections.drop(name, build);
      logger.info({ actor, projection: name, dropped: build }, "projection: drop");
      return json(context, 200, { projection: name, dropped: build });
    },
  );
}

function rowsOf(differences: readonly TableDifference[]): number {
  return differences.reduce((sum, each) => sum + each.onlyInOld + each.onlyInNew + each.different, 0);
}
