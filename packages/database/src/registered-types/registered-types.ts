import type { EventTypeDefinition, RegisteredTypes } from "@synap/types";
import { isEventTypeName } from "@synap/types/internal";
import type { SqlSession } from "../connection/sql-session.ts";
import { registeredDefinition, type TypeDescription } from "./registered-definition.ts";
import { RegisteredSchemaError } from "./schema-issue.ts";
import { storedVersions } from "./stored-versions.ts";

/** The versions of the types of a list of names. */
const NEWEST = `
SELECT name, max(schema_version) AS version
  FROM synap.registered_types
 WHERE name IN (SELECT jsonb_array_elements_text($1::text::jsonb))
 GROUP BY name`;

const NEWEST_OF_ALL = `
SELECT name, max(schema_version) AS version
  FROM synap.registered_types
 GROUP BY name`;

/** Number of names from which on all registered ones are read, instead of looking for these. */
const MANY_NAMES = 100;

/**
 * The event types that are registered in a database. A type is looked up when an event of it first arrives. An unknown name is looked up
 * each time, so that a type can be used as soon as it is registered, whichever process registered it. At most one look-up runs at a time,
 * for all names that wait by then: unknown names, however many, cost the database one small query after the other.
 */
export function createRegisteredTypes(database: SqlSession): RegisteredTypes {
  const known = new Map<string, EventTypeDefinition>();
  /** Types that this release can't read: a newer one has registered them, with keywords that are new in it. */
  const unreadable = new Map<string, RegisteredSchemaError>();
  let missed: Set<string> | undefined;

  function find(name: string, version = 1): EventTypeDefinition | undefined {
    const definition = known.get(name);
    if ((definition === undefined || definition.version < version) && isEventTypeName(name))
      missed?.add(name);
    return definition;
  }

  function collect<Result>(reading: () => Result): Collected<Result> {
    const names = new Set<string>();
    const outer = missed;
    missed = names;
    try {
      const result = reading();
      return { missed: names, finish: () => result };
    } catch (error) {
      return {
        missed: names,
        finish: () => {
          throw error;
        },
      };
    } finally {
      missed = outer;
    }
  }

  /** Looks up the versions of these types, and reads those that are newer than known; true if there were any. */
  async function load(names: ReadonlySet<string>, session: Pick<SqlSession, "query">): Promise<boolean> {
    const newest =
      names.size <= MANY_NAMES
        ? await session.query<Newest>(NEWEST, [JSON.stringify([...names])])
        : await session.query<Newest>(NEWEST_OF_ALL);
    return await readNewer(
      newest.filter(({ name }) => names.has(name)),
      session,
    );
  }

  async function readNewer(newest: readonly Newest[], session: Pick<SqlSession, "query">): Promise<boolean> {
    const wanted = newest.filter(({ name, version }) => (known.get(name)?.version ?? 0) < version);
    if (wanted.length === 0) return false;
    const stored = await storedVersions(
      session,
      wanted.map(({ name }) => name),
    );
    for (const [name, versions] of stored) {
      const definition = readable(name, versions);
      // A look-up in a slow transaction may end after a later one.
      if (definition !== undefined && definition.version > (known.get(name)?.version ?? 0))
        known.set(name, definition);
    }
    return true;
  }

  /** One type that can't be read must not keep the others from being known. */
  function readable(name: string, versions: readonly TypeDescription[]): EventTypeDefinition | undefined {
    try {
      const definition = registeredDefinition(versions);
      unreadable.delete(name);
      return definition;
    } catch (error) {
      if (!(error instanceof RegisteredSchemaError)) throw error;
      unreadable.set(name, error);
      return undefined;
    }
  }

  let running: Promise<unknown> = Promise.resolve();
  let next: { readonly names: Set<string>; readonly done: Promise<boolean> } | undefined;

  /** Looks these up together with all others that begin to wait before the look-up begins. */
  function lookUp(names: ReadonlySet<string>): Promise<boolean> {
    if (next === undefined) {
      const together = new Set<string>();
      const begin = () => {
        next = undefined;
        return load(together, database);
      };
      const done = running.then(begin, begin);
      running = done.catch(() => {});
      next = { names: together, done };
    }
    for (const name of names) next.names.add(name);
    return next.done;
  }

  async function readAgain<Result>(
    first: Collected<Result>,
    reading: () => Result,
    session: Pick<SqlSession, "query"> | undefined,
  ): Promise<Result> {
    const isNews = session === undefined ? await lookUp(first.missed) : await load(first.missed, session);
    // Refused as unknown, an event that another process has accepted would be taken for a faulty one.
    for (const name of first.missed) {
      const error = unreadable.get(name);
      if (error !== undefined) throw error;
    }
    return isNews || [...first.missed].some((name) => known.has(name))
      ? collect(reading).finish()
      : first.finish();
  }

  return {
    find,
    names: () => known.keys(),
    read(reading, session) {
      const first = collect(reading);
      return first.missed.size === 0 ? first.finish() : readAgain(first, reading, session);
    },
    async current(name) {
      if (isEventTypeName(name)) await lookUp(new Set([name]));
      return known.get(name);
    },
    async all() {
      const newest = await database.query<Newest>(NEWEST_OF_ALL);
      await readNewer(newest, database);
      return newest
        .flatMap(({ name }) => known.get(name) ?? [])
        .sort((one, other) => (one.name < other.name ? -1 : 1));
    },
  };
}

/** The outcome of a reading, and the names that it did not know. */
interface Collected<Result> {
  readonly missed: ReadonlySet<string>;
  /** Returns or throws what the reading did. */
  finish(): Result;
}

interface Newest {
  readonly name: string;
  readonly version: number;
}
