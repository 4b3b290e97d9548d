export { type Backoff, backoffDelay, defaultBackoff } from "./backoff.ts";
export { builtInHandlers } from "./built-in-handlers.ts";
export { derivedEventId } from "./derived-event-id.ts";
export { EventDispatcher, type EventDispatcherOptions, type HandlerPass } from "./event-dispatcher.ts";
export { type HandlerContext, handles, type IEventHandler } from "./event-handler.ts";
export { EventTypesModuleError, loadCatalogue } from "./event-types-module.ts";
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
} from "./handler-errors.ts";
export { HandlerRegistry } from "./handler-registry.ts";
export { type HandlerLogger, HandlerRunner, type HandlerRunnerOptions } from "./handler-runner.ts";
export type { InlineFailurePolicy } from "./inline-handlers.ts";
export { noteCreationReactor } from "./notes/note-creation-reactor.ts";
export { noteProjector } from "./notes/note-projector.ts";
export { RefusedReactionError } from "./refused-reaction-error.ts";
