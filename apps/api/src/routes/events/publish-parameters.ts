import { type ProblemCode, publishQuery } from "@synap/types/http";
import { actorFields } from "../../acceptance/acting.ts";
import type { EventRules } from "../../acceptance/read-events.ts";
import type { ApiContext, ApiDependencies } from "../../api-dependencies.ts";
import type { Principal } from "../../identity/principal.ts";
import { requireScope } from "../../identity/refusals.ts";
import { requestTrace } from "../../request-trace.ts";
import { readQuery } from "../route-registration.ts";

/** Problem responses of a request whose events may be a backfill, in addition to those of every route. */
export const PUBLISH_PARAMETER_PROBLEMS = [
  "parameter-invalid",
  "parameter-unknown",
] as const satisfies readonly ProblemCode[];

/** Problem responses of a request whose events go to the broker. */
export const BROKER_PROBLEMS = [
  "functions-not-registered",
  "event-type-not-ready",
  "publisher-full",
  "broker-unavailable",
  "shutting-down",
] as const satisfies readonly ProblemCode[];

/** Returns the rules for the events of a principal's request. @throws Problem `scope-missing` for a backfill without the scope */
export function readEventRules(
  context: ApiContext,
  principal: Principal,
  { catalogue, configuration }: ApiDependencies,
): EventRules {
  const { backfill } = readQuery(context, publishQuery);
  const common = { catalogue, actor: actorFields(principal), trace: requestTrace(context) };
  if (backfill !== "true") return { ...common, lateness: configuration.latenessMs };
  requireScope(principal, "backfill");
  return { ...common, lateness: undefined };
}
