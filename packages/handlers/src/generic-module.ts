import type { SynapModule } from "./module.ts";
import { auditLogReadModel } from "./read-models/audit-log.ts";
import { complianceReadModel } from "./read-models/compliance-stats.ts";

/** The module of every application: the audit log and the compliance figures, which are views over the log. */
export const genericModule = {
  readModels: [complianceReadModel, auditLogReadModel],
} satisfies SynapModule;
