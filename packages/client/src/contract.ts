/**
 * The types of events that the client shares with the server. `declarations.ts` puts their definitions in place of this file's
 * import, so that the installed client needs no other package.
 */
export type {
  AppendableEvent,
  EventInput,
  EventTypeMap,
  ExpectedVersion,
  JsonObject,
  PublishableEvent,
  StoredEventIn,
  StreamName,
} from "@synap/types";
