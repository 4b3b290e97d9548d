export { builtInHandlers } from "./built-in-handlers.ts";
export { derivedEventId } from "./derived-event-id.ts";
export { type Backoff, backoffDelay, defaultBackoff } from "./dispatch/backoff.ts";
export {
  EventDispatcher,
  type EventDispatcherOptions,
  type HandlerPass,
} from "./dispatch/event-dispatcher.ts";
export { type HandlerContext, handles, type IEventHandler } from "./dispatch/event-handler.ts";
export {
  DuplicateHandlerError,
  describeFailure,
  HandlerPassError,
  InlineAppendError,
  InlineHandlerError,
  isTransientFailure,
  TransientHandlerError,
  UnknownEventTypeError,
  UnknownHandlerError,
} from "./dispatch/handler-errors.ts";
export { HandlerRegistry } from "./dispatch/handler-registry.ts";
export { type HandlerLogger, HandlerRunner, type HandlerRunnerOptions } from "./dispatch/handler-runner.ts";
export type { InlineFailurePolicy } from "./dispatch/inline-handlers.ts";
export { EventTypesModuleError, loadCatalogue } from "./event-types-module.ts";
export { noteCreationReactor } from "./notes/note-creation-reactor.ts";
export { noteProjector } from "./notes/note-projector.ts";
export { RefusedReactionError } from "./refused-reaction-error.ts";
