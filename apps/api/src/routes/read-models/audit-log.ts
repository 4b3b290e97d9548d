import { auditLog } from "@synap/handlers";
import { plainText } from "@synap/types/http";
import { z } from "zod";
import type { ApiApp, ApiPorts } from "../../api-context.ts";
import { before, limit, name, nextBefore, numbers } from "./read-model-parameters.ts";
import { readModelRoute } from "./read-model-route.ts";

const DEFAULT_LIMIT = 100;

const query = z
  .strictObject({
    // The longest: "agent:" or "user:" and a name.
    actor: plainText(256)
      .optional()
      .describe("What this actor did: `user:{id}`, `agent:{name}` or `system`."),
    subjectType: name.optional().describe("What happened to a thing of this kind; with subjectId."),
    subjectId: name.optional().describe("What happened to this thing; with subjectType."),
    before,
    limit: limit(DEFAULT_LIMIT),
  })
  .refine(({ subjectType, subjectId }) => (subjectType === undefined) === (subjectId === undefined), {
    path: ["subjectType"],
    message: "and subjectId must be given together",
  });

/** GET /api/v1/audit-log */
export function auditLogRoute(app: ApiApp, ports: ApiPorts): void {
  readModelRoute(app, ports, {
    path: "/api/v1/audit-log",
    operationId: "auditLog",
    summary: "Who did what to which thing and when, the last stored first",
    query,
    component: "AuditLog",
    read: async (session, { actor, subjectType: type, subjectId: id, ...page }) => {
      const { limit: size = DEFAULT_LIMIT, before: position } = numbers(page, "limit", "before");
      const subject = type === undefined || id === undefined ? undefined : { type, id };
      const entries = await auditLog(session, { actor, subject, before: position, limit: size });
      return { entries, ...nextBefore(entries, size) };
    },
  });
}
