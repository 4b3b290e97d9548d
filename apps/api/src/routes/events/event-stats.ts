import { DEFAULT_PAGE_SIZE, eventStatsQuery, STATS_DAYS } from "@synap/types/http";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { visibilityOf } from "../../identity/visibility.ts";
import { represent, representedResponse } from "../../representations/representation.ts";
import { type ApiRoute, json, problemResponses, readQuery, registerRoute } from "../route-registration.ts";

const route = {
  scope: "read",
  method: "get",
  path: "/api/v1/events/stats",
  operationId: "eventStats",
  tags: ["events"],
  summary: "Count the events of a period by day, type, source and creator",
  description:
    "From figures that are kept up to date behind the log, and the events after them: every event that is stored is counted. " +
    "Without the scope `read-all`, the caller's own events are, at most 100,000.",
  request: { query: eventStatsQuery },
  responses: {
    200: representedResponse("The numbers of events.", "EventStats"),
    ...problemResponses(
      "parameter-invalid",
      "parameter-unknown",
      "period-too-large",
      "database-unavailable",
      "visibility-unavailable",
    ),
  },
} satisfies ApiRoute;

/** GET /api/v1/events/stats */
export function eventStatsRoute(app: ApiApp, { eventStats }: Pick<ApiDependencies, "eventStats">): void {
  registerRoute(app, route, async (context, principal) => {
    const { limit = DEFAULT_PAGE_SIZE, ...given } = readQuery(context, eventStatsQuery);
    const period = periodOf(given);
    const { events, byDay, byType, bySource, byCreator } = await eventStats(visibilityOf(principal), {
      ...period,
      limit,
    });
    const { body, headers } = represent(context, {
      ...period,
      events,
      byDay,
      byType: { ...byType, entries: byType.entries.map(({ name, events }) => ({ type: name, events })) },
      bySource: {
        ...bySource,
        entries: bySource.entries.map(({ name, events }) => ({ source: name, events })),
      },
      byCreator: {
        ...byCreator,
        entries: byCreator.entries.map(({ name, events }) => ({ createdBy: name, events })),
      },
    });
    return json(context, 200, body, headers);
  });
}

/** Completes a period that lacks a bound. */
function periodOf({ from, to }: { from?: string | undefined; to?: string | undefined }) {
  const days = STATS_DAYS.default - 1;
  if (from !== undefined) return { from, to: to ?? shifted(from, days) };
  const end = to ?? new Date().toISOString().slice(0, 10);
  return { from: shifted(end, -days), to: end };
}

/** The day a number of days later, within the years that a day can have. */
function shifted(day: string, days: number): string {
  const date = new Date(day);
  date.setUTCDate(date.getUTCDate() + days);
  if (date.getUTCFullYear() < 1) return "0001-01-01";
  return date.getUTCFullYear() > 9999 ? "9999-12-31" : date.toISOString().slice(0, 10);
}
