import type { LogReader } from "@synap/database";
import type { NamedThing } from "@synap/database/internal";
import { UnknownNameError } from "@synap/handlers";
import type { ApiDependencies } from "../api-dependencies.ts";
import { Problem } from "../problems/problem.ts";

/** The names in the filter of a request, as the query parameters or fields of the body have them. */
interface NamedFilter {
  readonly type?: string | readonly string[] | undefined;
  readonly aggregateType?: string | undefined;
  readonly handler?: string | undefined;
}

const THINGS = {
  type: "event type",
  aggregateType: "aggregate type",
  handler: "handler",
} as const satisfies Record<keyof NamedFilter, NamedThing>;

/**
 * Refuses a filter that names an event type, an aggregate type or a handler which neither the application nor anything stored has.
 *
 * @param reader reading of a caller who may not see everything stored
 * @throws Problem `filter-unknown`
 */
export async function checkFilterNames(
  { names }: Pick<ApiDependencies, "names">,
  { type, aggregateType, handler }: NamedFilter,
  reader?: Pick<LogReader, "query">,
): Promise<void> {
  const check = async (path: keyof NamedFilter, given: string | readonly string[] | undefined) => {
    try {
      await names.check(THINGS[path], given, reader && ((name) => isSeen(reader, path, name)));
    } catch (cause) {
      if (!(cause instanceof UnknownNameError)) throw cause;
      const { reason } = cause;
      throw new Problem("filter-unknown", `"${path}" ${reason}.`, {
        errors: [{ path, code: "filter-unknown", reason }],
        cause,
      });
    }
  };
  await check("type", type);
  await check("aggregateType", aggregateType);
  await check("handler", handler);
}

/** Finds out if an event that a reader shows has this name. */
async function isSeen(
  reader: Pick<LogReader, "query">,
  path: keyof NamedFilter,
  name: string,
): Promise<boolean> {
  const filter = path === "type" ? { types: [name] } : { aggregateType: name };
  const { events } = await reader.query(filter, { limit: 1, order: "desc" });
  return events.length > 0;
}
