import { complianceStats } from "@synap/handlers";
import { z } from "zod";
import type { ApiApp, ApiPorts } from "../../api-context.ts";
import { areInOrder, day, NOT_IN_ORDER } from "./read-model-parameters.ts";
import { readModelRoute } from "./read-model-route.ts";

/** GET /api/v1/compliance */
export function complianceRoute(app: ApiApp, ports: ApiPorts): void {
  readModelRoute(app, ports, {
    path: "/api/v1/compliance",
    operationId: "complianceStatistics",
    summary: "How much was done in some days, by whom, and how much of it can be traced",
    query: z
      .strictObject({
        from: day.describe("The first day, in UTC."),
        to: day.describe("The last day, included."),
      })
      .refine(areInOrder, NOT_IN_ORDER),
    component: "ComplianceStatistics",
    read: async (session, period) => ({ statistics: await complianceStats(session, period) }),
  });
}
