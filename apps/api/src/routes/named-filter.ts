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
 * @throws Problem `filter-unknown`
 */
export async function checkFilterNames(
  { names }: Pick<ApiDependencies, "names">,
  { type, aggregateType, handler }: NamedFilter,
): Promise<void> {
  const check = async (path: keyof NamedFilter, given: string | readonly string[] | undefined) => {
    try {
      await names.check(THINGS[path], given);
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
