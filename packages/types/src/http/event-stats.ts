import { z } from "zod";
import {
  areInOrder,
  DEFAULT_PAGE_SIZE,
  dayParameter,
  limitParameter,
  NOT_IN_ORDER,
  type RequestSchemas,
} from "./parameter-forms.ts";

const count = z.number().int();
const undercount = count.describe(
  "Maximum number of events that the figure of an entry lacks. 0 unless a day had more than 1,000 names.",
);
const others = count.describe("Events of this period that are in none of the entries.");

/** The numbers of events of a period. */
export const eventStats = z.object({
  from: z.iso.date(),
  to: z.iso.date(),
  events: count.describe("All events of the period."),
  byDay: z
    .array(z.object({ day: z.iso.date(), events: count }))
    .describe("The days that have events, in order, by the time at which the events happened, in UTC."),
  byType: z.object({ entries: z.array(z.object({ type: z.string(), events: count })), others }),
  bySource: z.object({
    entries: z.array(z.object({ source: z.string(), events: count })),
    others,
    undercount,
  }),
  byCreator: z.object({
    entries: z.array(z.object({ createdBy: z.string(), events: count })),
    others,
    undercount,
  }),
});

/** Maximum number of days of a statistic, and its number of days if the request does not have both bounds. */
export const STATS_DAYS = { max: 366, default: 30 } as const;

/** The period of a statistic, and the length of its lists. */
export const eventStatsQuery = z
  .strictObject({
    from: dayParameter
      .optional()
      .describe(`First day, in UTC. Default: ${STATS_DAYS.default} days until \`to\`.`),
    to: dayParameter
      .optional()
      .describe(
        `Last day (inclusive), in UTC. Default: ${STATS_DAYS.default} days from \`from\`, or today. At most ${STATS_DAYS.max} days.`,
      ),
    limit: limitParameter(DEFAULT_PAGE_SIZE).describe(
      `Maximum number of types, of sources and of creators, 1 to 1000: those with the most events. Default ${DEFAULT_PAGE_SIZE}.`,
    ),
  })
  .refine(areInOrder, NOT_IN_ORDER)
  .refine(
    ({ from, to }) => from === undefined || to === undefined || daysBetween(from, to) < STATS_DAYS.max,
    {
      path: ["to"],
      message: `must be at most ${STATS_DAYS.max} days after "from"`,
    },
  );

const DAY_MS = 86_400_000;

function daysBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / DAY_MS;
}

/** Request schemas of the statistics, by operationId. */
export const EVENT_STATS_REQUESTS = {
  eventStats: { query: eventStatsQuery },
} as const satisfies Record<string, RequestSchemas>;

/** The resources of the statistics, by their names in the OpenAPI document. */
export const EVENT_STATS_RESOURCES = { EventStats: eventStats } as const satisfies Record<string, z.ZodType>;
