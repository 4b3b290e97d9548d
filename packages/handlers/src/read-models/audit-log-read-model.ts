import { DEFAULT_PAGE_SIZE, READ_MODEL_REQUESTS, READ_MODEL_RESOURCES } from "@synap/types/http";
import { auditLog } from "./audit-log.ts";
import { defineReadModel } from "./read-model.ts";

/** The audit log over HTTP. */
export const auditLogReadModel = defineReadModel({
  path: "audit-log",
  description: "Who did what to which aggregate, and when; newest first",
  parameters: READ_MODEL_REQUESTS.auditLog.query,
  answer: READ_MODEL_RESOURCES.AuditLog,
  async read(session, { actor, subjectType: type, subjectId: id, before, limit = DEFAULT_PAGE_SIZE }) {
    const subject = type === undefined || id === undefined ? undefined : { type, id };
    const entries = await auditLog(session, { actor, subject, before, limit });
    return { entries, ...nextBefore(entries, limit) };
  },
});

/** The position before which the next page begins: the last one of a full page; undefined after a page that isn't full. */
function nextBefore(rows: readonly { readonly position: number }[], size: number): { nextBefore?: number } {
  const last = rows.length < size ? undefined : rows.at(-1);
  return last === undefined ? {} : { nextBefore: last.position };
}
