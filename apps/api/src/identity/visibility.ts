import type { Visibility } from "@synap/database";
import { actorOf } from "@synap/types/http";
import { isPerson, type Principal } from "./principal.ts";

/**
 * The rows that a principal may read: every one with `read-all`; otherwise those that carry a person's id, or those of which an agent
 * or a machine is the actor.
 */
export function visibilityOf(principal: Principal): Visibility {
  if (principal.scopes.has("read-all")) return { all: true };
  return isPerson(principal) ? { userId: principal.id } : { createdBy: actorOf(principal) };
}
