/**
 * The types of events that the client shares with the server. `declarations.ts` puts their definitions in place of this file's
 * import, so that the installed client needs no other package.
 */
export type {
  AppendableEvent,
  CallOptions,
  DescribedEventType,
  EventInput,
  EventQuery,
  EventReader,
  EventsToAppend,
  EventsToPublish,
  EventToPublish,
  EventTypeMap,
  ExpectedVersion,
  JsonObject,
  PageSize,
  PartOf,
  PublishableEvent,
  ReadOptions,
  StoredEventIn,
  StreamName,
  StreamRead,
  SubscriptionProgress,
  SubscriptionRequest,
  Trace,
  TraceRequest,
} from "@synap/types";
