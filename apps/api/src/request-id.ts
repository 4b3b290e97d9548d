import { randomUUID } from "node:crypto";

const ACCEPTABLE = /^[\w.~-]{1,128}$/;

/** Returns the id of a request for its response and the log: the client's if it is short and plain, otherwise a new one. */
export function readRequestId(given: string | undefined): string {
  return given !== undefined && ACCEPTABLE.test(given) ? given : randomUUID();
}
