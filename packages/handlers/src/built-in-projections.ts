import type { Projection } from "./projections/projection.ts";
import { auditLogProjection } from "./read-models/audit-log.ts";
import { complianceStatsProjection } from "./read-models/compliance-stats.ts";
import { openLoopsProjection } from "./read-models/open-loops.ts";
import { reservationsProjection } from "./read-models/reservations.ts";
import { tasksViewProjection } from "./read-models/tasks-view.ts";

/** The read models that come with Synap. All of them follow the log: they cost the appends nothing. */
export const builtInProjections: readonly Projection[] = [
  openLoopsProjection,
  tasksViewProjection,
  reservationsProjection,
  complianceStatsProjection,
  auditLogProjection,
];
