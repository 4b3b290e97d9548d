/**
 * The contract of Synap: events, event types and their validation. It does no I/O and
 * runs in browsers and on servers.
 *
 * Glossary
 * - event: something that happened, recorded once and never changed (`SynapEvent`).
 * - event type: the name of a kind of event, `aggregate.action[.more]`, with the schema of its data.
 * - catalogue: a set of event types, and the functions that validate events against it.
 * - stream: the events of one thing, in order. Its name is (aggregateType, aggregateId).
 * - stream version: an event's number in its stream: 1, 2, 3 ... without gaps.
 * - position: an event's number among all events. Increases, has gaps; a safe integer.
 * - checkpoint: the position up to which a consumer has read.
 * - watermark: the position up to which every append is finished, so that a reader misses nothing.
 * - append: the storing of events; one append call stores all its events or none.
 * - expected version: the version that a stream must have; otherwise the append is refused.
 * - envelope: the batch in which events travel from the API to the worker.
 * - handler: code that runs for stored events. A projector maintains a read model (a projection: tables derived from
 *   events, which can be dropped and rebuilt); a reactor appends further events in response.
 * - dead letter: an event that a handler cannot handle or the store cannot store, recorded with the reason.
 * - idempotency key: two events with the same key are one event sent twice.
 * - correlation id: shared by all events of one flow. Causation id: the id of the event that caused this one.
 * - timestamp: when it happened. Recorded at: when it was stored. Valid from/to: when the fact holds.
 * - amendment: an event that corrects or retracts an earlier one, which stays as it is. In force: not amended, as known at a moment.
 */

export {
  type AmendingEvent,
  type Amendment,
  type AmendmentOptions,
  amendmentOf,
  type CorrectionOptions,
  correctionOf,
  MaskedEventError,
  retractionOf,
} from "./amendments/amendments.ts";
export { eventsInForce, type KnownMoment } from "./amendments/events-in-force.ts";
export { day as daySchema } from "./catalogue/fields.ts";
export { noteCreationCompleted, noteCreationRequested, noteEventTypes } from "./catalogue/note.ts";
export { openLoopEventTypes } from "./catalogue/open-loop.ts";
export {
  reservationEventTypes,
  reservationFields,
  reservationReason,
  reservationStatus,
} from "./catalogue/reservation.ts";
export {
  completeEvent,
  createSynapEvent,
  parseSynapEvent,
  type SeedEvent,
  type SeedEventTypeName,
  safeParseSynapEvent,
  seedCatalogue,
  seedEventTypes,
  validateEventData,
} from "./catalogue/seed-catalogue.ts";
export { taskEventTypes } from "./catalogue/task.ts";
export { checkMoment, checkPast, InvalidMomentError, MomentInFutureError } from "./event/check-moment.ts";
export type { AmendedBy, EventInput, MaskedValue, StoredEvent, SynapEvent } from "./event/event.ts";
export { eventInputSchema } from "./event/event-input.ts";
export { MAX_EVENT_BYTES } from "./event/event-size.ts";
export type { ExpectedVersion, StreamName } from "./event/stream-name.ts";
export { synapEventSchema } from "./event/synap-event.ts";
export { readTimestamp } from "./event/timestamp.ts";
export { type TraceContext, traceContextOf } from "./event/trace-context.ts";
export {
  defineEventType,
  type EventTypeDefinition,
  EventTypeDefinitionError,
  type EventTypesOf,
  type StoredEventOf,
} from "./event-types/define-event-type.ts";
export {
  type CatalogueOptions,
  createEventCatalogue,
  type EventCatalogue,
  type TypedEventCatalogue,
} from "./event-types/event-catalogue.ts";
export type {
  CallOptions,
  DescribedEventType,
  EventQuery,
  EventReader,
  EventWithCaused,
  PageSize,
  ReadOptions,
  StreamRead,
  SubscriptionProgress,
  SubscriptionRequest,
  Trace,
  TraceNode,
  TraceRequest,
} from "./event-types/event-reader.ts";
export type { EventSchema, EventSchemaOf } from "./event-types/event-schema.ts";
export type { EventReading } from "./event-types/read-event.ts";
export type { LookUpSession, RegisteredTypes } from "./event-types/registered-types.ts";
export type { EarlierVersion } from "./event-types/schema-versions.ts";
export { StoredDataInvalidError } from "./event-types/stored-data-error.ts";
export type {
  AppendableEvent,
  EventsToAppend,
  EventsToPublish,
  EventToPublish,
  EventTypeMap,
  EventTypeName,
  PartOf,
  PublishableEvent,
  StoredEventIn,
  SynapEventOf,
} from "./event-types/typed-events.ts";
export { EventUpcastError } from "./event-types/upcast-event.ts";
export { type EventIssue, EventValidationError } from "./issues/event-issue.ts";
export type { JsonObject, JsonValue } from "./json/json.ts";
export type { PersonalField } from "./personal/personal-fields.ts";
