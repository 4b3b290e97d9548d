import { ARCHIVE_EVENT_TYPE } from "../archive/archive-event.ts";
import { ERASURE_EVENT_TYPE } from "../erasure/erasure-event.ts";
import { PURGE_EVENT_TYPE } from "../purge/purge-event.ts";

/** The types of the events that record what was done to the log. Nobody else may publish one, and none may be removed. */
const RECORD_TYPES: readonly string[] = [ARCHIVE_EVENT_TYPE, ERASURE_EVENT_TYPE, PURGE_EVENT_TYPE];

/** True for the type of Synap's own records. */
export function isRecordType(name: string): boolean {
  return RECORD_TYPES.includes(name);
}
