import { type Admin, createAdmin } from "./admin.ts";
import {
  type AggregatesOf,
  type AnyAggregates,
  createAggregates,
  createAnyAggregates,
  type DeciderTypes,
} from "./aggregates.ts";
import type {
  AggregateAt,
  CatalogueTypes,
  ClientTypes,
  NameOf,
  PartsOf,
  ReadModelAt,
  TypesOf,
} from "./application-types.ts";
import type { SchemaVersions } from "./complete-event.ts";
import type {
  CallOptions,
  EventReader,
  EventsToPublish,
  EventToPublish,
  PartOf,
  StoredEventIn,
} from "./contract.ts";
import { createEvents, type StoredEventQuery } from "./events.ts";
import {
  type CoalescingOptions,
  createPublishing,
  type Published,
  type PublishOptions,
  type PublishResult,
  type SettledResult,
} from "./publishing.ts";
import {
  createReadModels,
  type ReadModelArguments,
  type ReadModelOptions,
  type ReadModels,
  type ReadModelTypes,
  type ResponseOf,
  readModel,
} from "./read-models.ts";
import type { Resource } from "./resources.ts";
import { createStreams, type Streams } from "./streams.ts";
import { type SubscriptionRequest, subscribe } from "./subscription.ts";
import { createTransport, type TransportOptions } from "./transport.ts";
import { waitForHandler, waitUntilStored } from "./waiting.ts";

/** Options of a client. */
export interface ClientOptions extends TransportOptions {
  readonly coalescing?: CoalescingOptions;
  /**
   * The version of each event type that this program was written for, by name, where it is not the first. Events get it unless they
   * name another: the API can't know which one a program without a catalogue has in mind.
   */
  readonly schemaVersions?: SchemaVersions;
}

/** Period of a statistic. */
export interface EventStatsQuery {
  readonly from?: string;
  readonly to?: string;
  /** Types, sources and creators in the lists, 1 to 1,000. Default 100. */
  readonly limit?: number;
}

/** An event type as it is registered. */
export interface EventTypeRegistration {
  /** The fact that such an event records. */
  readonly description: string;
  /** Default: the part of the name before the first dot. */
  readonly aggregateType?: string | undefined;
  /** JSON Schema (draft 2020-12) of `data`, of the keywords that Synap supports. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** An example of `data`. */
  readonly example: Readonly<Record<string, unknown>>;
}

/** Synap over HTTP. Made by {@link createSynapClient}. */
export interface SynapClient<Source extends ClientTypes>
  extends Streams<TypesOf<Source>>,
    AnyAggregates,
    EventReader<TypesOf<Source>> {
  /**
   * Publishes an event. Resolves once it is accepted: it will be stored, and never lost. Calls made at the same time travel
   * together. Repeating it is harmless: the event has its id before the first attempt.
   * @throws SynapProblem `event-invalid`, `unknown-event-type`, `event-id-conflict`, `publisher-full` and others
   */
  publish<const Name extends NameOf<TypesOf<Source>>>(
    event: EventToPublish<TypesOf<Source>, Name>,
    options?: PublishOptions,
  ): Promise<Published>;
  /**
   * Publishes events in requests of up to 1,000, and gives one result for each, in their order. A rejected event costs no
   * other; `unavailable` ones may be sent again.
   * @throws SynapProblem, SynapUnreachableError when the outcome of no event is known
   */
  publishBatch<const Names extends readonly NameOf<TypesOf<Source>>[]>(
    events: EventsToPublish<TypesOf<Source>, Names>,
    options?: PublishOptions,
  ): Promise<PublishResult[]>;
  /**
   * Publishes events that are JSON already, as they are, in one request: each must have an id, by which the API recognises it
   * when it is sent again. For programs that pass on what others wrote.
   * @throws SynapProblem, SynapUnreachableError, SynapResponseError when the outcome of an event is not known
   */
  publishJson(events: readonly string[], options?: PublishOptions): Promise<SettledResult[]>;
  /** As `EventReader.query`, with `processed` as a further condition. */
  query<const Name extends NameOf<TypesOf<Source>> = NameOf<TypesOf<Source>>>(
    query?: StoredEventQuery<Name, PartOf<TypesOf<Source>[Name]>>,
  ): AsyncGenerator<StoredEventIn<TypesOf<Source>, Name>, void, void>;
  /**
   * The events after a position, then each as it is stored. Resumes after a lost connection. Needs the scope `read`.
   * @throws SubscriptionGapError when the store was restored to before what was read
   */
  subscribe<const Name extends NameOf<TypesOf<Source>> = NameOf<TypesOf<Source>>>(
    request?: SubscriptionRequest<Name>,
  ): AsyncGenerator<StoredEventIn<TypesOf<Source>, Name>, void, void>;
  // Of two forms, the compiler reports a misspelt name by the second.
  /**
   * One kind of aggregate, with the types of a decider.
   * @example
   * const reservations = synap.aggregates<typeof reservationDecider>({ type: "reservation", path: "reservations" });
   */
  aggregates<Decider extends DeciderTypes = never>(
    kind: [Decider] extends [never] ? never : { readonly type: string; readonly path: string },
  ): AggregatesOf<Decider>;
  /**
   * One kind of aggregate of the client's config.
   * @example
   * const orders = synap.aggregates({ type: "order", path: "orders" });
   */
  aggregates<const Path extends PartsOf<Source>["aggregates"]["path"]>(kind: {
    readonly type: AggregateAt<PartsOf<Source>, Path>["name"];
    readonly path: Path;
  }): AggregatesOf<AggregateAt<PartsOf<Source>, Path>>;
  /**
   * The response of a read model, with the types of its definition.
   * @throws SynapProblem `parameter-invalid`, `read-model-missing`, `position-not-reached`, `too-many-pages`
   * @example
   * const { orders } = await synap.readModel<typeof openOrders>("open-orders", { customer: "c1" });
   */
  readModel<Model extends ReadModelTypes = never>(
    path: Model["path"],
    ...rest: ReadModelArguments<Model>
  ): Promise<ResponseOf<Model>>;
  /**
   * The response of a read model of the client's config.
   * @throws SynapProblem `parameter-invalid`, `read-model-missing`, `position-not-reached`, `too-many-pages`
   * @example
   * const { orders } = await synap.readModel("open-orders", { customer: "c1" });
   */
  readModel<const Path extends PartsOf<Source>["readModels"]["path"]>(
    path: Path,
    ...rest: ReadModelArguments<ReadModelAt<PartsOf<Source>, Path>>
  ): Promise<ResponseOf<ReadModelAt<PartsOf<Source>, Path>>>;
  /** The read models of the seeded domain, the audit log and the compliance figures. */
  readonly readModels: ReadModels;
  readonly admin: Admin<PartsOf<Source>>;
  /**
   * Waits until a handler or projection has dealt with the events up to a position, to read what was just written.
   * @throws UnknownHandlerError
   */
  waitFor(
    position: number,
    handler: PartsOf<Source>["handlers"] | PartsOf<Source>["projections"],
    options?: CallOptions,
  ): Promise<void>;
  /** Waits until a published event is stored, and gives it as it is stored. */
  waitUntilStored(id: string, options?: CallOptions): Promise<StoredEventIn<TypesOf<Source>>>;
  /**
   * Counts the events of a period by day, type, source and creator. Days are YYYY-MM-DD, both included; the last 30 days
   * unless they are given, at most 366.
   */
  eventStats(query?: EventStatsQuery & CallOptions): Promise<Resource<"EventStats">>;
  /**
   * Registers an event type without code, or a new version of one. Needs the scope `register-types`.
   * @throws SynapProblem `event-type-invalid`, `event-type-in-code`, `event-type-incompatible`, `too-many-event-types`
   */
  registerEventType(
    name: string,
    registration: EventTypeRegistration & CallOptions,
  ): Promise<Resource<"RegisteredEventType">>;
  status(options?: CallOptions): Promise<Resource<"Status">>;
  /** The principal that the client is for the API, with its scopes, and until when. */
  session(options?: CallOptions): Promise<Resource<"CurrentSession">>;
  /** Signs out of the session of a browser's cookie. @throws SynapProblem `session-missing` with a token */
  signOut(options?: CallOptions): Promise<Resource<"EndedSession">>;
  /**
   * Makes a link by which a browser signs in as the principal of the client's token, once and within 10 minutes.
   *
   * @throws SynapProblem `key-or-token-needed` without a token
   */
  signInLink(options?: CallOptions & { readonly returnTo?: string }): Promise<Resource<"SignInLink">>;
  /** Checks that the process runs. */
  health(options?: CallOptions): Promise<Resource<"Health">>;
  /** Checks that the API is ready for requests. @throws SynapProblem `not-ready` */
  readiness(options?: CallOptions): Promise<Resource<"Readiness">>;
  /** The metrics as Prometheus reads them. */
  metrics(options?: CallOptions): Promise<string>;
  /** The API's own description. */
  openapi(options?: CallOptions): Promise<unknown>;
  /** The event types as an AsyncAPI document. */
  asyncapi(options?: CallOptions): Promise<unknown>;
}

/**
 * A client of Synap's HTTP API, typed by an application's config. Import only its type, so that none of its code runs here. A
 * catalogue (`typeof catalogue`) gives the event types alone.
 *
 * @throws SynapUrlError
 * @example
 * import type config from "./synap.config.ts";
 * const synap = createSynapClient<typeof config>({ url: "http://127.0.0.1:3400" });
 * await synap.publish({ type: "order.placed", data: { total: 12.5 } });
 */
export function createSynapClient<Source extends ClientTypes = CatalogueTypes>(
  options: ClientOptions,
): SynapClient<Source> {
  type Types = TypesOf<Source>;
  const transport = createTransport(options);
  const publishing = createPublishing(transport, options.coalescing, options.schemaVersions);
  return {
    ...publishing,
    ...createStreams<Types>(transport, options.schemaVersions),
    ...createEvents<Types>(transport),
    ...createAnyAggregates(transport),
    subscribe: (request = {}) => subscribe(transport, request),
    // What these two answer has the types of the config or the definition that the caller named.
    aggregates: (kind: Parameters<typeof createAggregates>[1]) => createAggregates<never>(transport, kind),
    readModel: (path: string, parameters?: object, call: ReadModelOptions = {}) =>
      readModel<never>(transport, path, parameters, call),
    readModels: createReadModels(transport),
    admin: createAdmin(transport),
    waitFor: (position, handler, call = {}) => waitForHandler(transport, position, handler, call),
    waitUntilStored: (id, call = {}) => waitUntilStored<Types>(transport, id, call),
    eventStats: ({ signal, ...query } = {}) => transport.call("eventStats", { query, signal }),
    registerEventType: (name, { signal, ...body }) =>
      transport.call("registerEventType", { path: { name }, body, signal }),
    status: ({ signal } = {}) => transport.call("status", { signal }),
    session: ({ signal } = {}) => transport.call("getSession", { signal }),
    signOut: ({ signal } = {}) => transport.call("endSession", { signal }),
    signInLink: ({ signal, ...body } = {}) => transport.call("createSignInLink", { body, signal }),
    health: ({ signal } = {}) => transport.call("health", { signal }),
    readiness: ({ signal } = {}) => transport.call("readiness", { signal }),
    metrics: ({ signal } = {}) => transport.call("metrics", { signal }),
    openapi: ({ signal } = {}) => transport.call("openapi", { signal }),
    asyncapi: ({ signal } = {}) => transport.call("asyncapi", { signal }),
  };
}
