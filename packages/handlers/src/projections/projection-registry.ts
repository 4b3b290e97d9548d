import type { EventCatalogue } from "@synap/types";
import { DuplicateHandlerError, UnknownEventTypeError } from "../dispatch/handler-errors.ts";
import type { Projection } from "./projection.ts";
import { ProjectionNotFoundError } from "./projection-errors.ts";

/** The projections of one process; of each, one version or several (the old one feeds its builds until they are dropped). */
export class ProjectionRegistry {
  readonly #versions = new Map<string, Map<number, Projection>>();

  /** The event types that the inline projections take, in any version: one that has become inline may feed old builds. */
  readonly inlineTypes: ReadonlySet<string> | "all";

  /**
   * @throws DuplicateHandlerError when a version is there twice, or the name is a handler's
   * @throws UnknownEventTypeError
   */
  constructor(
    catalogue: Pick<EventCatalogue, "has">,
    projections: readonly Projection[],
    handlers: readonly string[],
  ) {
    for (const projection of projections) {
      const { name, version, eventTypes } = projection;
      const versions = this.#versions.get(name) ?? new Map<number, Projection>();
      if (versions.has(version) || handlers.includes(name)) throw new DuplicateHandlerError(name);
      const unknown = eventTypes === "all" ? undefined : eventTypes.find((type) => !catalogue.has(type));
      if (unknown !== undefined) throw new UnknownEventTypeError(name, unknown);
      versions.set(version, projection);
      this.#versions.set(name, versions);
    }
    this.inlineTypes = this.#collectInlineTypes();
  }

  /** The names, in the order of registration. */
  get names(): readonly string[] {
    return [...this.#versions.keys()];
  }

  /** The projections of which an inline version is registered. */
  get inlineNames(): readonly string[] {
    return this.names.filter((name) =>
      [...(this.#versions.get(name)?.values() ?? [])].some(({ mode }) => mode === "inline"),
    );
  }

  /** The event types that the inline projections take, in any version: one that has become inline may feed old builds. */
  #collectInlineTypes(): ReadonlySet<string> | "all" {
    const types = this.inlineNames
      .flatMap((name) => [...(this.#versions.get(name)?.values() ?? [])])
      .map(({ eventTypes }) => eventTypes);
    return types.includes("all") ? "all" : new Set(types.flat());
  }

  /** One version; undefined when this process doesn't have it. */
  find(name: string, version: number): Projection | undefined {
    return this.#versions.get(name)?.get(version);
  }

  /** @throws ProjectionNotFoundError */
  newest(name: string): Projection {
    const versions = this.#versions.get(name);
    const newest = versions?.get(Math.max(...versions.keys()));
    if (newest === undefined) {
      throw new ProjectionNotFoundError(`No projection named "${name}" is registered in this process.`);
    }
    return newest;
  }
}
