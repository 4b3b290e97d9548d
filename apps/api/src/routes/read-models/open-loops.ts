import { countOpenLoops, whatsNext } from "@synap/handlers";
import { z } from "zod";
import type { ApiApp, ApiPorts } from "../../api-context.ts";
import { limit, name, numbers } from "./read-model-parameters.ts";
import { readModelRoute } from "./read-model-route.ts";

/** GET /api/v1/open-loops */
export function openLoopsRoute(app: ApiApp, ports: ApiPorts): void {
  readModelRoute(app, ports, {
    path: "/api/v1/open-loops",
    operationId: "whatsNext",
    summary: "What's next for somebody",
    description: "Open loops that are not put off, the highest score first. `counts` counts the others too.",
    query: z.strictObject({ owner: name.describe("Whose open loops."), limit: limit(20) }),
    component: "OpenLoops",
    read: async (session, { owner, ...page }) => ({
      openLoops: await whatsNext(session, owner, numbers(page, "limit")),
      counts: await countOpenLoops(session, owner),
    }),
  });
}
