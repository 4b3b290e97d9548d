import { type ProblemCode, publishQuery } from "@synap/types/http";
import type { EventRules } from "../../acceptance/read-events.ts";
import type { ApiContext, ApiDependencies } from "../../api-dependencies.ts";
import { requireBackfillPermission } from "../../permission.ts";
import { readQuery } from "../route-registration.ts";

/** Problem responses of a request whose events may be a backfill. */
export const PUBLISH_PARAMETER_PROBLEMS = [
  "parameter-invalid",
  "parameter-unknown",
  "token-missing",
  "token-invalid",
  "backfill-disabled",
] as const satisfies readonly ProblemCode[];

/** Problem responses of a request whose events go to the broker. */
export const BROKER_PROBLEMS = [
  "functions-not-registered",
  "event-type-not-ready",
  "publisher-full",
  "broker-unavailable",
  "shutting-down",
] as const satisfies readonly ProblemCode[];

/** Returns the rules for the events of this request. @throws Problem when it is not permitted to backfill. */
export function readEventRules(
  context: ApiContext,
  { catalogue, configuration }: ApiDependencies,
): EventRules {
  const { backfill } = readQuery(context, publishQuery);
  if (backfill !== "true") return { catalogue, lateness: configuration.latenessMs };
  requireBackfillPermission(context.req.raw, configuration.backfillToken);
  return { catalogue, lateness: undefined };
}
