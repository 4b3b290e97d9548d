import { descendingPages } from "@synap/database";
import { DEFAULT_PAGE_SIZE, READ_MODEL_REQUESTS, READ_MODEL_RESOURCES } from "@synap/types/http";
import { auditLog } from "./audit-log.ts";
import { defineReadModel } from "./read-model.ts";

/** The audit log over HTTP. */
export const auditLogReadModel = defineReadModel({
  path: "audit-log",
  description: "Who did what to which aggregate, and when; newest first",
  parameters: READ_MODEL_REQUESTS.auditLog.query,
  response: READ_MODEL_RESOURCES.AuditLog,
  async read(session, { cursor, limit = DEFAULT_PAGE_SIZE, ...filter }) {
    const { actor, subjectType: type, subjectId: id } = filter;
    const subject = type === undefined || id === undefined ? undefined : { type, id };
    const { before, next } = descendingPages("audit-log", filter, cursor);
    const entries = await auditLog(session, { actor, subject, before, limit });
    // A page that isn't full is the last one.
    return { entries, ...next(entries.length < limit ? undefined : entries.at(-1)?.position) };
  },
});
