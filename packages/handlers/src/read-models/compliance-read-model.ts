import { READ_MODEL_REQUESTS, READ_MODEL_RESOURCES } from "@synap/types/http";
import { complianceStats } from "./compliance-stats.ts";
import { defineReadModel } from "./read-model.ts";

/** The compliance figures over HTTP. */
export const complianceReadModel = defineReadModel({
  path: "compliance",
  description: "Events per day, type and kind of actor, and how many of them name a user or a flow",
  parameters: READ_MODEL_REQUESTS.compliance.query,
  response: READ_MODEL_RESOURCES.Compliance,
  read: async (session, period) => ({ statistics: await complianceStats(session, period) }),
});
