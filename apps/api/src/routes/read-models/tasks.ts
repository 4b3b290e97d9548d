import { openTasks } from "@synap/handlers";
import { z } from "zod";
import type { ApiApp, ApiPorts } from "../../api-context.ts";
import { limit, name, numbers } from "./read-model-parameters.ts";
import { readModelRoute } from "./read-model-route.ts";

/** GET /api/v1/tasks */
export function tasksRoute(app: ApiApp, ports: ApiPorts): void {
  readModelRoute(app, ports, {
    path: "/api/v1/tasks",
    operationId: "openTasks",
    summary: "Tasks that are open, the ones that are due first first",
    query: z.strictObject({
      owner: name.optional().describe("Tasks assigned to this person. Default: everybody's."),
      limit: limit(100),
    }),
    component: "Tasks",
    read: async (session, { owner, ...page }) => ({
      tasks: await openTasks(session, {
        ...(owner !== undefined && { assigneeId: owner }),
        ...numbers(page, "limit"),
      }),
    }),
  });
}
