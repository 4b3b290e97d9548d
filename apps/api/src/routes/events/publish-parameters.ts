import { publishQuery } from "@synap/types/http";
import type { EventRules } from "../../acceptance/read-events.ts";
import type { ApiContext, ApiDependencies } from "../../api-dependencies.ts";
import { requireBackfillPermission } from "../../permission.ts";
import { readQuery } from "../route-registration.ts";

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
