import type { SynapModule } from "./module.ts";
import { auditLogProjection } from "./read-models/audit-log.ts";
import { auditLogReadModel } from "./read-models/audit-log-read-model.ts";
import { complianceReadModel } from "./read-models/compliance-read-model.ts";
import { complianceStatsProjection } from "./read-models/compliance-stats.ts";

/** The module of every application: the audit log and the compliance figures, which cover all event types. */
export const genericModule = {
  projections: [complianceStatsProjection, auditLogProjection],
  readModels: [complianceReadModel, auditLogReadModel],
} satisfies SynapModule;
