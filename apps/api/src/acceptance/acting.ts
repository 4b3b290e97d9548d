import type { EventIssue } from "@synap/types";
import { actorOf } from "@synap/types/http";
import { isPerson, type Principal } from "../identity/principal.ts";

/** The fields of an event that say whose it is and who caused it. */
export interface ActorFields {
  readonly userId?: string;
  readonly createdBy: string;
}

/** The actor fields of all events of a principal; undefined for one who may act for others, and sets them. */
export function actorFields(principal: Principal): ActorFields | undefined {
  if (principal.scopes.has("act-for-others")) return undefined;
  return { createdBy: actorOf(principal), ...(isPerson(principal) && { userId: principal.id }) };
}

const FIELDS = ["userId", "createdBy"] as const;

/**
 * Finds the actor fields in which an event names somebody else than its sender.
 *
 * @param path path of the event, with a dot at its end
 */
export function actorIssues(event: object, actor: ActorFields | undefined, path = ""): EventIssue[] {
  if (actor === undefined) return [];
  return FIELDS.filter((field) => {
    const given: unknown = Object.hasOwn(event, field) ? Reflect.get(event, field) : undefined;
    return given !== undefined && given !== actor[field];
  }).map((field) => ({ path: `${path}${field}`, code: "not-yourself", reason: reasonFor(actor[field]) }));
}

function reasonFor(own: string | undefined): string {
  return own === undefined
    ? "must be left out: it names a user, and the sender is none"
    : `must be ${JSON.stringify(own)} or left out: only the scope act-for-others may name somebody else`;
}
