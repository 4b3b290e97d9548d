import type { PublishableEvent, StoredEventIn } from "@synap/types";
import { type Admin, createAdmin } from "./admin.ts";
import { type Aggregates, createAggregates, type DeciderTypes } from "./aggregates.ts";
import type { CatalogueTypes, NameOf, TypesOf } from "./event-types.ts";
import { createEvents, type Events } from "./events.ts";
import {
  type CoalescingOptions,
  createPublishing,
  type Published,
  type PublishOptions,
  type PublishResult,
  type SettledResult,
} from "./publishing.ts";
import {
  type AnswerOf,
  createReadModels,
  type ReadModelArguments,
  type ReadModels,
  type ReadModelTypes,
  readModel,
} from "./read-models.ts";
import type { Resource } from "./resources.ts";
import { createStreams, type Streams } from "./streams.ts";
import { type SubscriptionRequest, subscribe } from "./subscription.ts";
import { type CallOptions, createTransport, type TransportOptions } from "./transport.ts";
import { waitForHandler, waitUntilStored } from "./waiting.ts";

/** Options of a client. */
export interface ClientOptions extends TransportOptions {
  readonly coalescing?: CoalescingOptions;
}

/** Synap over HTTP. Made by {@link createSynapClient}. */
export interface SynapClient<Catalogue extends CatalogueTypes>
  extends Streams<TypesOf<Catalogue>>,
    Events<TypesOf<Catalogue>> {
  /**
   * Publishes an event. Resolves once it is accepted: it will be stored, and never lost. Calls made at the same time travel
   * together. Repeating it is harmless: the event has its id before the first attempt.
   * @throws SynapProblem `event-invalid`, `unknown-event-type`, `event-id-conflict`, `publisher-full` and others
   */
  publish(event: PublishableEvent<TypesOf<Catalogue>>, options?: PublishOptions): Promise<Published>;
  /**
   * Publishes events in requests of up to 1,000, and gives one result for each, in their order. A rejected event costs no
   * other; `unavailable` ones may be sent again.
   * @throws SynapProblem, SynapUnreachableError when the outcome of no event is known
   */
  publishBatch(
    events: readonly PublishableEvent<TypesOf<Catalogue>>[],
    options?: PublishOptions,
  ): Promise<PublishResult[]>;
  /**
   * Publishes events that are JSON already, as they are, in one request: each must have an id, by which the API recognises it
   * when it is sent again. For programs that pass on what others wrote.
   * @throws SynapProblem, SynapUnreachableError, SynapAnswerError when the outcome of an event is not known
   */
  publishJson(events: readonly string[], options?: PublishOptions): Promise<SettledResult[]>;
  /**
   * The events after a position, then each as it is stored. Resumes after a lost connection. Needs the admin token.
   * @throws SubscriptionGapError when the store was restored to before what was read
   */
  subscribe<const Name extends NameOf<TypesOf<Catalogue>> = NameOf<TypesOf<Catalogue>>>(
    request?: SubscriptionRequest<Name>,
  ): AsyncGenerator<StoredEventIn<TypesOf<Catalogue>, Name>, void, void>;
  /**
   * One kind of aggregate.
   * @example
   * const reservations = synap.aggregates<typeof reservationDecider>({ type: "reservation", path: "reservations" });
   */
  aggregates<Decider extends DeciderTypes>(kind: {
    readonly type: string;
    readonly path: string;
  }): Aggregates<ReturnType<Decider["evolve"]>, Parameters<Decider["decide"]>[0]>;
  /**
   * The answer of one of the application's own read models.
   * @throws SynapProblem `parameter-invalid`, `read-model-missing`, `too-many-pages`
   * @example
   * const { orders } = await synap.readModel<typeof openOrders>("open-orders", { customer: "c1" });
   */
  readModel<Model extends ReadModelTypes>(
    path: Model["path"],
    ...rest: ReadModelArguments<Model>
  ): Promise<AnswerOf<Model>>;
  /** The read models of the seeded domain, the audit log and the compliance figures. */
  readonly readModels: ReadModels;
  readonly admin: Admin;
  /**
   * Waits until a handler or projection has dealt with the events up to a position, to read what was just written.
   * @throws UnknownHandlerError
   */
  waitFor(position: number, handler: string, options?: CallOptions): Promise<void>;
  /** Waits until a published event is stored, and gives it as it is stored. */
  waitUntilStored(id: string, options?: CallOptions): Promise<StoredEventIn<TypesOf<Catalogue>>>;
  status(options?: CallOptions): Promise<Resource<"Status">>;
  /** Checks that the process runs. */
  health(options?: CallOptions): Promise<Resource<"Health">>;
  /** Checks that the API is ready for requests. @throws SynapProblem `not-ready` */
  readiness(options?: CallOptions): Promise<Resource<"Readiness">>;
  /** The metrics as Prometheus reads them. */
  metrics(options?: CallOptions): Promise<string>;
  /** The API's own description. */
  openapi(options?: CallOptions): Promise<unknown>;
}

/**
 * A client of Synap's HTTP API, typed by a catalogue.
 *
 * @example
 * import type { catalogue } from "./event-types.js";
 * const synap = createSynapClient<typeof catalogue>({ url: "http://127.0.0.1:3400" });
 * await synap.publish({ type: "order.placed", data: { total: 12.5 } });
 */
export function createSynapClient<Catalogue extends CatalogueTypes>(
  options: ClientOptions,
): SynapClient<Catalogue> {
  type Types = TypesOf<Catalogue>;
  const transport = createTransport(options);
  const publishing = createPublishing(transport, options.coalescing);
  return {
    ...publishing,
    ...createStreams<Types>(transport),
    ...createEvents<Types>(transport),
    subscribe: (request = {}) => subscribe(transport, request),
    aggregates: (kind) => createAggregates(transport, kind),
    readModel: (path, parameters?: object, call: CallOptions = {}) =>
      readModel(transport, path, parameters, call),
    readModels: createReadModels(transport),
    admin: createAdmin(transport),
    waitFor: (position, handler, call = {}) => waitForHandler(transport, position, handler, call),
    waitUntilStored: (id, call = {}) => waitUntilStored<Types>(transport, id, call),
    status: ({ signal } = {}) => transport.call("status", { signal }),
    health: ({ signal } = {}) => transport.call("health", { signal }),
    readiness: ({ signal } = {}) => transport.call("readiness", { signal }),
    metrics: ({ signal } = {}) => transport.call("metrics", { signal }),
    openapi: ({ signal } = {}) => transport.call("openapi", { signal }),
  };
}
