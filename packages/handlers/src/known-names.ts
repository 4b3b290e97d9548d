import type { SqlSession } from "@synap/database";
import { isRecordedName, listNames, type NamedThing } from "@synap/database/internal";
import { didYouMean } from "@synap/types/internal";
import type { Composition } from "./compose-modules.ts";
import { INGEST_HANDLER } from "./ingest/accepted-events.ts";

/** Thrown for a name of something which neither the application nor anything stored has: a misspelt name. */
export class UnknownNameError extends Error {
  override readonly name = "UnknownNameError";
  readonly code = "NAME_UNKNOWN";
  /** The kind of name, such as `event type`. */
  readonly thing: NamedThing;
  /** The name that nothing has. */
  readonly unknownName: string;
  /** The fault with similar names, to follow the name of a parameter. */
  readonly reason: string;

  constructor(thing: NamedThing, unknownName: string, known: Iterable<string>) {
    const similar = didYouMean(unknownName, known);
    const quoted = JSON.stringify(unknownName);
    const reason = `names no ${thing} of the application or of what is stored: ${quoted}${similar}`;
    super(`Neither the application nor what is stored has the ${thing} ${quoted}${similar}.`);
    this.thing = thing;
    this.unknownName = unknownName;
    this.reason = reason;
  }
}

/** The names that filters may have. */
export interface KnownNames {
  /**
   * Refuses names which neither the application nor anything stored has: an empty response would not show that they are
   * misspelt. What the application no longer defines stays readable.
   *
   * @param isSeen for a caller who may not see all that is stored: finds out if something that he may see has the name. No
   *   other stored name is looked at, nor named as similar.
   * @throws UnknownNameError
   */
  check(
    thing: NamedThing,
    names: string | readonly string[] | undefined,
    isSeen?: (name: string) => Promise<boolean>,
  ): Promise<void>;
}

/** The known names of an application and of what its database holds. */
export function createKnownNames(
  database: SqlSession,
  { catalogue, handlers, sinks }: Pick<Composition, "catalogue" | "handlers" | "sinks">,
): KnownNames {
  const own: Readonly<Record<NamedThing, ReadonlySet<string>>> = {
    "event type": new Set(catalogue.types.map(({ name }) => name)),
    "aggregate type": new Set(catalogue.types.map(({ aggregateType }) => aggregateType)),
    handler: new Set([INGEST_HANDLER, ...[...handlers, ...sinks].map(({ name }) => name)]),
  };
  return {
    async check(thing, names = [], isSeen) {
      for (const name of [names].flat()) {
        if (own[thing].has(name) || (await isSeen?.(name))) continue;
        if (thing === "event type" && (await catalogue.registered?.current(name)) !== undefined) continue;
        if (isSeen !== undefined) throw new UnknownNameError(thing, name, own[thing]);
        const known = new Set([...own[thing], ...(await listNames(database, thing))]);
        if (known.has(name) || (await isRecordedName(database, thing, name))) continue;
        throw new UnknownNameError(thing, name, known);
      }
    },
  };
}
