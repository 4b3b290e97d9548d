import type { NamedThing } from "@synap/database/internal";
import { INGEST_HANDLER } from "@synap/handlers/internal";
import { didYouMean } from "@synap/types/internal";
import type { ApiDependencies } from "../api-dependencies.ts";
import { Problem } from "../problems/problem.ts";

/** The names in a filter for events, as the query parameters have them. */
interface EventNames {
  readonly type?: string | readonly string[] | undefined;
  readonly aggregateType?: string | undefined;
}

/**
 * Refuses a filter for events that names an event type or an aggregate type which neither the application nor the log
 * knows: it is misspelt, and an empty answer would not show that. Types that the application no longer defines stay readable.
 *
 * @throws Problem `filter-unknown`
 */
export async function checkEventNames(
  dependencies: Pick<ApiDependencies, "catalogue" | "names">,
  { type = [], aggregateType }: EventNames,
): Promise<void> {
  const { types } = dependencies.catalogue;
  const ofTypes = types.map(({ name }) => name);
  for (const name of [type].flat()) await checkName(dependencies, "type", "event type", name, ofTypes);
  if (aggregateType === undefined) return;
  const ofAggregates = new Set(types.map((each) => each.aggregateType));
  await checkName(dependencies, "aggregateType", "aggregate type", aggregateType, ofAggregates);
}

/**
 * Refuses a filter for dead letters that names a handler which neither the application nor a dead letter has.
 *
 * @throws Problem `filter-unknown`
 */
export async function checkHandlerName(
  dependencies: Pick<ApiDependencies, "admin" | "names">,
  handler: string | undefined,
): Promise<void> {
  if (handler === undefined) return;
  const own = [INGEST_HANDLER, ...dependencies.admin.handlers.map(({ name }) => name)];
  await checkName(dependencies, "handler", "handler", handler, own);
}

async function checkName(
  { names }: Pick<ApiDependencies, "names">,
  parameter: string,
  thing: NamedThing,
  name: string,
  own: Iterable<string>,
): Promise<void> {
  const known = new Set(own);
  if (known.has(name)) return;
  for (const listed of await names.list(thing)) known.add(listed);
  if (known.has(name) || (await names.isRecorded(thing, name))) return;
  const unknown = `${JSON.stringify(name)}${didYouMean(name, known)}`;
  const reason = `names no ${thing} of the application or of what is stored: ${unknown}`;
  throw new Problem("filter-unknown", `"${parameter}" ${reason}.`, {
    errors: [{ path: parameter, code: "filter-unknown", reason }],
  });
}
