import type { EventCatalogue } from "@synap/types";
import type { IEventHandler } from "./event-handler.ts";
import { callHandler } from "./handler-call.ts";
import { DuplicateHandlerError, UnknownEventTypeError, UnknownHandlerError } from "./handler-errors.ts";
import type { ReadableTypes } from "./readable-events.ts";

/** The part of a catalogue that handlers need. */
export type KnownTypes = Pick<EventCatalogue, "has" | "types"> & ReadableTypes;

/** The handlers of one process by name, in the order of registration. */
export class HandlerRegistry {
  readonly #catalogue: KnownTypes;
  readonly #handlers = new Map<string, IEventHandler>();

  constructor(catalogue: KnownTypes, handlers: readonly IEventHandler[] = []) {
    this.#catalogue = catalogue;
    for (const handler of handlers) this.register(handler);
  }

  /**
   * Adds a handler.
   *
   * @throws DuplicateHandlerError when the name is taken.
   * @throws UnknownEventTypeError when one of its event types is not in the catalogue.
   */
  register(handler: IEventHandler): void {
    if (this.#handlers.has(handler.name)) throw new DuplicateHandlerError(handler.name);
    if (handler.eventTypes !== "all") {
      for (const type of handler.eventTypes) {
        if (!this.#catalogue.has(type))
          throw new UnknownEventTypeError(handler.name, type, namesIn(this.#catalogue));
      }
    }
    this.#handlers.set(handler.name, guarded(handler, this.#catalogue));
  }

  get all(): readonly IEventHandler[] {
    return [...this.#handlers.values()];
  }

  /** The handlers that run in the transaction of the append. */
  get inline(): readonly IEventHandler[] {
    return this.all.filter((handler) => handler.mode === "inline");
  }

  /** The handlers that follow the log from their own checkpoint. */
  get asynchronous(): readonly IEventHandler[] {
    return this.all.filter((handler) => handler.mode === "async");
  }

  /** @throws UnknownHandlerError when there is no asynchronous handler of that name. */
  getAsynchronous(name: string): IEventHandler {
    const handler = this.#handlers.get(name);
    if (handler?.mode !== "async") {
      throw new UnknownHandlerError(
        name,
        this.asynchronous.map((each) => each.name),
      );
    }
    return handler;
  }
}

/** The names of a catalogue's event types. */
export function namesIn({ types }: Pick<EventCatalogue, "types">): string[] {
  return types.map(({ name }) => name);
}

/**
 * Wraps a handler so that it gets events at the current versions of their types, its failures are plain errors and its calls are
 * attributed to its name.
 */
function guarded(handler: IEventHandler, types: ReadableTypes): IEventHandler {
  const { name, description, eventTypes, mode, forget, eraseSubject } = handler;
  return {
    name,
    description,
    eventTypes,
    mode,
    handle: (events, context) =>
      callHandler(name, events, { types, transaction: context.transaction }, (readable) =>
        handler.handle(readable, context),
      ),
    ...(forget !== undefined && {
      forget: (events, context) =>
        callHandler(name, [], { types }, () => forget.call(handler, events, context)),
    }),
    ...(eraseSubject !== undefined && {
      eraseSubject: (subject, context) =>
        callHandler(name, [], { types }, () => eraseSubject.call(handler, subject, context)),
    }),
  };
}
