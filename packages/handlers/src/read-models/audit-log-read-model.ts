import { plainText, READ_MODEL_RESOURCES } from "@synap/types/http";
import { z } from "zod";
import { auditLog } from "./audit-log.ts";
import { defineReadModel } from "./read-model.ts";
import { beforeParameter, limitParameter, nameParameter, nextBefore } from "./read-model-parameters.ts";

const DEFAULT_LIMIT = 100;

const parameters = z
  .strictObject({
    // Room for the longest actor: "agent:" and a name.
    actor: plainText(256)
      .optional()
      .describe("Entries of this actor: `user:{id}`, `agent:{name}` or `system`."),
    subjectType: nameParameter.optional().describe("Entries of this aggregate type; with subjectId."),
    subjectId: nameParameter.optional().describe("Entries of this aggregate; with subjectType."),
    before: beforeParameter,
    limit: limitParameter(DEFAULT_LIMIT),
  })
  .refine(({ subjectType, subjectId }) => (subjectType === undefined) === (subjectId === undefined), {
    path: ["subjectType"],
    message: "and subjectId must be given together",
  });

/** The audit log over HTTP. */
export const auditLogReadModel = defineReadModel({
  path: "audit-log",
  description: "Who did what to which aggregate, and when; newest first",
  parameters,
  answer: READ_MODEL_RESOURCES.AuditLog,
  async read(session, { actor, subjectType: type, subjectId: id, before, limit = DEFAULT_LIMIT }) {
    const subject = type === undefined || id === undefined ? undefined : { type, id };
    const entries = await auditLog(session, { actor, subject, before, limit });
    return { entries, ...nextBefore(entries, limit) };
  },
});
