import type { DeadLetterHandler, PartTypes } from "./application-types.ts";
import type { CallOptions } from "./contract.ts";
import { eachOf } from "./pages.ts";
import type { Resource } from "./resources.ts";
import type { Transport } from "./transport.ts";

/** A dead letter without its event. */
export type DeadLetterSummary = Resource<"DeadLetterPage">["deadLetters"][number];

/** Filter of dead letters. */
export interface DeadLetterQuery<Handler extends string = string> extends CallOptions {
  readonly handler?: Handler;
  readonly status?: DeadLetterSummary["status"];
  readonly aggregateType?: string;
  readonly aggregateId?: string;
  /** Dead letters fetched at a time, 1 to 1,000. Default 100. */
  readonly pageSize?: number;
}

/** Dead letters to retry together. */
export interface RetryRequest<Handler extends string = string> extends CallOptions {
  readonly handler?: Handler;
  readonly code?: string;
  /** Those with a higher number: `next` of the call before. */
  readonly after?: number;
  /** 1 to 100, which is the default. */
  readonly limit?: number;
}

/** The position or the moment of a read model as it was, and the number of rows. */
export type AsOfRequest = ({ readonly position: number } | { readonly moment: Date | string }) &
  CallOptions & { readonly limit?: number };

/** An event that some handler has not processed, with its state for every handler. */
export type UnprocessedEvent = Resource<"UnprocessedEvents">["events"][number];

/** Filter of unprocessed events. */
export interface UnprocessedQuery<Handler extends string = string> extends CallOptions {
  readonly handler?: Handler;
  readonly type?: string;
  readonly state?: "pending" | "parked" | "failed";
  /** Events fetched at a time, 1 to 1,000. Default 100. */
  readonly pageSize?: number;
}

/** A decision about an event that a handler failed on. The reason is stored with its dead letter. */
export type ProcessingDecision<Handler extends string = string> =
  | { readonly action: "retry"; readonly handler: Handler; readonly reason?: string }
  | { readonly action: "skip"; readonly handler: Handler; readonly reason: string };

/** Operating Synap. Everything here needs the scope `admin`. */
export interface Admin<Parts extends PartTypes = PartTypes> {
  status(options?: CallOptions): Promise<Resource<"AdminStatus">>;
  /** Dead letters, the newest first, fetched page by page. */
  deadLetters(
    query?: DeadLetterQuery<DeadLetterHandler<Parts>>,
  ): AsyncGenerator<DeadLetterSummary, void, void>;
  /** One page of them, and the cursor of the next. */
  deadLetterPage(
    query?: DeadLetterQuery<DeadLetterHandler<Parts>> & { readonly cursor?: string },
  ): Promise<Resource<"DeadLetterPage">>;
  /** One dead letter with its event. @throws SynapProblem `dead-letter-not-found` */
  deadLetter(id: number, options?: CallOptions): Promise<Resource<"DeadLetter">>;
  /** Handles the event again. @throws SynapProblem `dead-letter-resolved`, `dead-letter-not-retryable` */
  retryDeadLetter(id: number, options?: CallOptions): Promise<Resource<"DeadLetterOutcome">>;
  /** Retries the open dead letters that match, the oldest first. */
  retryDeadLetters(request?: RetryRequest<DeadLetterHandler<Parts>>): Promise<Resource<"DeadLetterOutcomes">>;
  /** Leaves the event out for good. */
  skipDeadLetter(id: number, reason: string, options?: CallOptions): Promise<Resource<"DeadLetterOutcome">>;
  /** Events that a handler has not processed, in the order of positions, fetched page by page. */
  unprocessedEvents(
    query?: UnprocessedQuery<DeadLetterHandler<Parts>>,
  ): AsyncGenerator<UnprocessedEvent, void, void>;
  /** The state of an event for each handler. @throws SynapProblem `event-not-found` */
  eventProcessing(id: string, options?: CallOptions): Promise<Resource<"EventProcessing">>;
  /**
   * Handles an event again for a handler that failed on it, or leaves it out for good.
   * @throws SynapProblem `event-not-found`, `nothing-to-resolve`, `dead-letter-not-retryable`
   */
  changeEventProcessing(
    id: string,
    decision: ProcessingDecision<DeadLetterHandler<Parts>> & CallOptions,
  ): Promise<Resource<"ProcessingChange">>;
  projections(options?: CallOptions): Promise<Resource<"Projections">["projections"]>;
  /** @throws SynapProblem `projection-not-found` */
  projection(name: Parts["projections"], options?: CallOptions): Promise<Resource<"Projection">>;
  /**
   * The rows of a read model as they were at a position of the log, or a moment: up to `limit` of each table, by default 100.
   * @throws SynapProblem `projection-not-found`, `as-of-too-long`
   */
  projectionAsOf(name: Parts["projections"], at: AsOfRequest): Promise<Resource<"ProjectionAsOf">>;
  pauseProjection(name: Parts["projections"], options?: CallOptions): Promise<Resource<"ProjectionBuild">>;
  resumeProjection(name: Parts["projections"], options?: CallOptions): Promise<Resource<"ProjectionBuild">>;
  /** Begins a new build beside the live one. */
  rebuildProjection(
    name: Parts["projections"],
    options?: CallOptions & { readonly version?: number },
  ): Promise<Resource<"ProjectionBuild">>;
  /** Compares the rows of the new build with those of the live one. */
  compareProjection(
    name: Parts["projections"],
    options?: CallOptions,
  ): Promise<Resource<"ProjectionComparison">>;
  /** Lets the new build take over. @throws SynapProblem `cutover-refused` */
  cutOverProjection(
    name: Parts["projections"],
    options?: CallOptions & {
      readonly maxLagEvents?: number;
      readonly maxDifference?: number;
      readonly compare?: boolean;
    },
  ): Promise<Resource<"ProjectionCutover">>;
  /** Goes back to the previous build. A repetition undoes that, unless `from` names the build that was live. */
  rollbackProjection(
    name: Parts["projections"],
    options?: CallOptions & { readonly from?: number },
  ): Promise<Resource<"ProjectionCutover">>;
  /** Removes a build that isn't live. */
  dropProjectionBuild(
    name: Parts["projections"],
    build: "building" | "previous",
    options?: CallOptions,
  ): Promise<Resource<"DroppedBuild">>;
  /** The sinks with their state and progress. */
  sinks(options?: CallOptions): Promise<Resource<"Sinks">["sinks"]>;
  /** @throws SynapProblem `sink-not-found` */
  sink(name: string, options?: CallOptions): Promise<Resource<"Sink">>;
  /** Pauses a sink; its destination stays as it is. @throws SynapProblem `sink-not-found` */
  pauseSink(name: string, options?: CallOptions): Promise<Resource<"Sink">>;
  /** Lets a sink go on from its checkpoint. @throws SynapProblem `sink-not-found` */
  resumeSink(name: string, options?: CallOptions): Promise<Resource<"Sink">>;
}

/** Operating through a transport. @internal */
export function createAdmin(transport: Transport): Admin {
  const deadLetterPage: Admin["deadLetterPage"] = ({ signal, pageSize, ...filter } = {}) =>
    transport.call("listDeadLetters", { query: { ...filter, limit: pageSize }, signal });
  return {
    status: ({ signal } = {}) => transport.call("adminStatus", { signal }),
    deadLetters: (query = {}) =>
      eachOf<DeadLetterSummary, string>(async (cursor) => {
        const page = await deadLetterPage({ ...query, ...(cursor !== undefined && { cursor }) });
        return { items: page.deadLetters, next: page.nextCursor };
      }),
    deadLetterPage,
    deadLetter: (id, { signal } = {}) => transport.call("getDeadLetter", { path: { id }, signal }),
    retryDeadLetter: (id, { signal } = {}) => transport.call("retryDeadLetter", { path: { id }, signal }),
    retryDeadLetters: ({ signal, ...body } = {}) => transport.call("retryDeadLetters", { body, signal }),
    skipDeadLetter: (id, reason, { signal } = {}) =>
      transport.call("skipDeadLetter", { path: { id }, body: { reason }, signal }),
    unprocessedEvents: ({ signal, pageSize, ...filter } = {}) =>
      eachOf<UnprocessedEvent, string>(async (cursor) => {
        const query = { ...filter, limit: pageSize, cursor };
        const page = await transport.call("listUnprocessedEvents", { query, signal });
        return { items: page.events, next: page.nextCursor };
      }),
    eventProcessing: (id, { signal } = {}) => transport.call("getEventProcessing", { path: { id }, signal }),
    changeEventProcessing: (id, { signal, ...body }) =>
      transport.call("changeEventProcessing", { path: { id }, body, signal }),
    projections: async ({ signal } = {}) => (await transport.call("listProjections", { signal })).projections,
    projection: (name, { signal } = {}) => transport.call("getProjection", { path: { name }, signal }),
    projectionAsOf: (name, { signal, ...query }) =>
      transport.call("projectionAsOf", { path: { name }, query, signal }),
    pauseProjection: (name, { signal } = {}) => transport.call("pauseProjection", { path: { name }, signal }),
    resumeProjection: (name, { signal } = {}) =>
      transport.call("resumeProjection", { path: { name }, signal }),
    rebuildProjection: (name, { signal, ...body } = {}) =>
      transport.call("rebuildProjection", { path: { name }, body, signal }),
    compareProjection: (name, { signal } = {}) =>
      transport.call("compareProjection", { path: { name }, signal }),
    cutOverProjection: (name, { signal, ...body } = {}) =>
      transport.call("cutOverProjection", { path: { name }, body, signal }),
    rollbackProjection: (name, { signal, ...body } = {}) =>
      transport.call("rollbackProjection", { path: { name }, body, signal }),
    dropProjectionBuild: (name, build, { signal } = {}) =>
      transport.call("dropProjectionBuild", { path: { name }, body: { build }, signal }),
    sinks: async ({ signal } = {}) => (await transport.call("listSinks", { signal })).sinks,
    sink: (name, { signal } = {}) => transport.call("getSink", { path: { name }, signal }),
    pauseSink: (name, { signal } = {}) => transport.call("pauseSink", { path: { name }, signal }),
    resumeSink: (name, { signal } = {}) => transport.call("resumeSink", { path: { name }, signal }),
  };
}
