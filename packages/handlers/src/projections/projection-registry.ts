import { didYouMean } from "@synap/types/internal";
import { handles } from "../handler/event-handler.ts";
import { callHandler } from "../handler/handler-call.ts";
import { DuplicateHandlerError, UnknownEventTypeError } from "../handler/handler-errors.ts";
import { type KnownTypes, namesIn } from "../handler/handler-registry.ts";
import type { ReadableTypes } from "../handler/readable-events.ts";
import type { Projection } from "./projection.ts";
import { ProjectionNotFoundError } from "./projection-errors.ts";

/** A projection of this process. */
export interface RegisteredProjection extends Projection {
  /** The versions of the event types that it reads, by name, without those of version 1. */
  readonly eventVersions: Readonly<Record<string, number>>;
}

/** The projections of one process, each in one or more versions: an old version serves its builds until they are dropped. */
export class ProjectionRegistry {
  readonly #versions = new Map<string, Map<number, RegisteredProjection>>();

  /**
   * @throws DuplicateHandlerError when a version is registered twice, or a handler has the name
   * @throws UnknownEventTypeError
   */
  constructor(catalogue: KnownTypes, projections: readonly Projection[], handlers: readonly string[]) {
    for (const projection of projections) {
      const { name, version, eventTypes } = projection;
      const versions = this.#versions.get(name) ?? new Map<number, RegisteredProjection>();
      if (versions.has(version) || handlers.includes(name)) throw new DuplicateHandlerError(name);
      const unknown = eventTypes === "all" ? undefined : eventTypes.find((type) => !catalogue.has(type));
      if (unknown !== undefined) throw new UnknownEventTypeError(name, unknown, namesIn(catalogue));
      versions.set(version, {
        ...guarded(projection, catalogue),
        eventVersions: versionsOf(projection, catalogue),
      });
      this.#versions.set(name, versions);
    }
  }

  /** The names, in the order of registration. */
  get names(): readonly string[] {
    return [...this.#versions.keys()];
  }

  /** The projections with an inline version. */
  get inlineNames(): readonly string[] {
    return this.names.filter((name) =>
      [...(this.#versions.get(name)?.values() ?? [])].some(({ mode }) => mode === "inline"),
    );
  }

  /** Every version of the projections with an inline one, since an old version may still have an inline build. */
  get inlineVersions(): readonly RegisteredProjection[] {
    return this.inlineNames.flatMap((name) => [...(this.#versions.get(name)?.values() ?? [])]);
  }

  /** True if a projection that may be inline consumes events of this type. */
  handlesInline(type: string): boolean {
    return this.inlineVersions.some((projection) => handles(projection, type));
  }

  /** One version; undefined when this process doesn't have it. */
  find(name: string, version: number): RegisteredProjection | undefined {
    return this.#versions.get(name)?.get(version);
  }

  /** @throws ProjectionNotFoundError */
  newest(name: string): RegisteredProjection {
    const versions = this.#versions.get(name);
    const newest = versions?.get(Math.max(...versions.keys()));
    if (newest === undefined) {
      throw new ProjectionNotFoundError(
        `No projection named "${name}" is registered in this process${didYouMean(name, this.names)}.`,
      );
    }
    return newest;
  }
}

function versionsOf({ eventTypes }: Projection, { types }: KnownTypes): Record<string, number> {
  const read = types.filter(
    ({ name, version }) => version > 1 && (eventTypes === "all" || eventTypes.includes(name)),
  );
  return Object.fromEntries(read.map(({ name, version }) => [name, version]));
}

/**
 * Wraps a projection so that it gets events at the current versions of their types, its failures are plain errors and its calls are
 * attributed to its name.
 */
function guarded(projection: Projection, types: ReadableTypes): Projection {
  const { name, version, description, eventTypes, tables, mode, segments, statement, keepsOrder } =
    projection;
  return {
    name,
    version,
    description,
    eventTypes,
    tables,
    mode,
    segments,
    statement,
    keepsOrder,
    apply: (events, context) =>
      callHandler(name, events, { types, transaction: context.transaction }, (readable) =>
        projection.apply(readable, context),
      ),
  };
}
