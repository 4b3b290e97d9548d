/** A typed client of Synap's HTTP API, for browsers, Node.js, Bun and Cloudflare Workers. */

export type {
  Admin,
  AsOfRequest,
  DeadLetterQuery,
  DeadLetterSummary,
  ProcessingDecision,
  RetryRequest,
  UnprocessedEvent,
  UnprocessedQuery,
} from "./admin.ts";
export type {
  AggregateMoment,
  Aggregates,
  AnyAggregates,
  CommandOptions,
  DeciderTypes,
} from "./aggregates.ts";
export type { ApplicationTypes, CatalogueTypes, ClientTypes, PartTypes } from "./application-types.ts";
export {
  type ClientOptions,
  createSynapClient,
  type EventStatsQuery,
  type EventTypeRegistration,
  type SynapClient,
} from "./client.ts";
export type {
  AppendableEvent,
  CallOptions,
  DescribedEventType,
  EventQuery,
  EventReader,
  ExpectedVersion,
  PageSize,
  PublishableEvent,
  ReadOptions,
  StoredEventIn,
  StreamName,
  StreamRead,
  SubscriptionProgress,
  Trace,
  TraceRequest,
} from "./contract.ts";
export {
  isProblem,
  SynapProblem,
  SynapResponseError,
  SynapUnreachableError,
  SynapUrlError,
} from "./errors.ts";
export type { StoredEventQuery } from "./events.ts";
export { OPERATIONS, type Operation, type OperationName } from "./operations.ts";
export type {
  CoalescingOptions,
  Published,
  PublishOptions,
  PublishResult,
  SettledResult,
} from "./publishing.ts";
export type {
  AuditEntry,
  AuditQuery,
  Note,
  ReadModelOptions,
  ReadModels,
  ReadModelTypes,
  ReservationsQuery,
} from "./read-models.ts";
export type { Resource, ResourceName } from "./resources.ts";
export type { AppendOptions } from "./streams.ts";
export { LostFramesError, SubscriptionGapError, type SubscriptionRequest } from "./subscription.ts";
export type { RetryOptions, Token, TransportOptions } from "./transport.ts";
export { UnknownHandlerError } from "./waiting.ts";
