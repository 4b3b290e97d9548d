import type { SynapModule } from "./module.ts";
import { auditLogReadModel } from "./read-models/audit-log-read-model.ts";
import { complianceReadModel } from "./read-models/compliance-read-model.ts";

/** The module of every application: the audit log and the compliance figures, which are views over the log. */
export const genericModule = {
  readModels: [complianceReadModel, auditLogReadModel],
} satisfies SynapModule;
