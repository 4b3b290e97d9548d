import { randomUUID } from "node:crypto";

const ACCEPTABLE = /^[\w.~-]{1,128}$/;

/** The id under which a request is answered and logged: the client's own when it is plain and short, else a new one. */
export function readRequestId(given: string | undefined): string {
  return given !== undefined && ACCEPTABLE.test(given) ? given : randomUUID();
}
