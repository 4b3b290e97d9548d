import { randomUUID } from "node:crypto";

const ACCEPTABLE = /^[\w.~-]{1,128}$/;

/** The id of a request in its answer and in the log: the client's when it is plain and short, else a new one. */
export function readRequestId(given: string | undefined): string {
  return given !== undefined && ACCEPTABLE.test(given) ? given : randomUUID();
}
