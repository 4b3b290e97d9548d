import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { json, jsonResponse, refuseQuery } from "../route-registration.ts";
import { readStatus } from "../status.ts";
import { registerAdminRoute } from "./admin-route.ts";

/** GET /api/v1/admin/status */
export function adminStatusRoute(app: ApiApp, dependencies: ApiDependencies): void {
  registerAdminRoute(
    app,
    {
      method: "get",
      path: "/api/v1/admin/status",
      operationId: "adminStatus",
      summary: "Get the status, with details of each handler",
      description: "The public status, and for each handler its description and its open dead letters.",
      responses: { 200: jsonResponse("The current status.", "AdminStatus") },
    },
    async (context) => {
      refuseQuery(context);
      const status = await readStatus(dependencies);
      return json(context, 200, {
        ...status,
        handlers: await describeHandlers(dependencies, status.handlers),
      });
    },
  );
}

/** Lists every handler that this process has, or that has a checkpoint or waiting events, and the builds that are part of appends. */
async function describeHandlers(
  { admin }: ApiDependencies,
  checkpoints: readonly { readonly name: string }[],
): Promise<object[]> {
  const backlogs = await admin.deadLetterBacklog();
  const names = new Set([
    ...admin.handlers.map(({ name }) => name),
    ...(await admin.projections.inlineBuilds()),
    ...checkpoints.map(({ name }) => name),
    ...backlogs.map(({ handler }) => handler),
  ]);
  return [...names].sort().map((name) => {
    const handler = admin.handlers.find((one) => one.name === name) ?? projectionOf(admin, name);
    const backlog = backlogs.find((one) => one.handler === name);
    return {
      name,
      ...(handler !== undefined && { mode: handler.mode, description: handler.description }),
      ...checkpoints.find((one) => one.name === name),
      deadLetters: backlog?.open ?? 0,
      parkedEvents: backlog?.parked ?? 0,
    };
  });
}

/** Finds the projection of a build, unless its versions run in different modes. */
function projectionOf({ projectionDefinitions }: ApiDependencies["admin"], build: string) {
  const versions = projectionDefinitions.filter(({ name }) => build.startsWith(`${name}/`));
  const [first] = versions;
  return versions.every(({ mode }) => mode === first?.mode) ? first : undefined;
}
