import type { HttpBindings } from "@hono/node-server";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { ConnectionUse, EventStore } from "@synap/database";
import type {
  DeadLetterBacklog,
  DeadLetterCounts,
  ProcessPresence,
  StoreStatistics,
} from "@synap/database/internal";
import type { IEventHandler, Projection, Projections, ReadModel, ReadSession } from "@synap/handlers";
import type { DeadLetters, InTransit, KeptInBroker, OperatingWarning } from "@synap/handlers/internal";
import type { ProcessMetrics, ReadinessCheck } from "@synap/service";
import type { ServedAggregate } from "@synap/synap/internal";
import type { EventCatalogue } from "@synap/types";
import type { Context } from "hono";
import type { Logger } from "pino";
import type { ApiConfiguration } from "./configuration.ts";
import type { Acceptance } from "./intake/accept-events.ts";
import type { PageBudget } from "./pages/page-budget.ts";

/** Variables of every request. */
export interface ApiEnvironment {
  Variables: {
    requestId: string;
    /** The path of the route with its parameters in braces; missing where there is none. */
    route?: string;
  };
  /** Node's request and response; absent where no server is in front. */
  Bindings: Partial<HttpBindings>;
}

export type ApiApp = OpenAPIHono<ApiEnvironment>;
export type ApiContext = Context<ApiEnvironment>;

/** Dependencies of the routes. */
export interface ApiPorts {
  readonly configuration: ApiConfiguration;
  readonly catalogue: EventCatalogue;
  /** An inline handler that refuses the events of a command refuses the command. */
  readonly store: Pick<
    EventStore,
    "appendToStream" | "closeStream" | "getById" | "getStream" | "query" | "readStreamPage" | "subscribeToAll"
  >;
  readonly acceptance: Acceptance;
  /** The kinds of aggregate whose state can be read and commanded. */
  readonly aggregates: readonly ServedAggregate[];
  readonly readModels: readonly ReadModel[];
  /** Where the read models are read. */
  readonly readTables: ReadSession;
  /** What this process counts and times. */
  readonly metrics: ProcessMetrics;
  readonly statistics: () => Promise<StoreStatistics>;
  /** What the connections to the database are doing. */
  readonly connections: () => readonly ConnectionUse[];
  /** Room for the pages that are read and sent. */
  readonly pages: PageBudget;
  /** The engine under the store, as the status route shows it. */
  readonly engine: {
    readonly engine: string;
    readonly postgresql: string;
    readonly timescaledb: { readonly version: string; readonly edition: string };
  };
  readonly readiness: readonly ReadinessCheck[];
  /** Resolves when the database can't be used again in this process. */
  readonly databaseFailed: Promise<Error>;
  /** What an operator has to look into, while the API does its work. */
  readonly warnings: () => Promise<readonly OperatingWarning[]>;
  /** The processes that run beside this one. */
  readonly processes: Pick<ProcessPresence, "instance" | "look">;
  /** What the broker keeps until somebody does something about it, where it says so. */
  readonly keptInBroker: () => Promise<KeptInBroker | undefined>;
  /** Of a sample of the events that this process accepted, those that have not arrived in the store. */
  readonly inTransit: () => Promise<InTransit | undefined>;
  /** How many dead letters hold accepted events that are not stored. */
  readonly notStored: () => Promise<DeadLetterCounts>;
  /** What the admin routes work with, beyond the above. */
  readonly admin: {
    readonly handlers: readonly Pick<IEventHandler, "name" | "description" | "mode">[];
    /** The projections of the application. The status names each build of one, as PROJECTION/BUILD. */
    readonly projectionDefinitions: readonly Pick<Projection, "name" | "description" | "mode">[];
    readonly deadLetters: Pick<DeadLetters, "page" | "retry" | "retryAll" | "skip">;
    readonly projections: Pick<
      Projections,
      "status" | "pause" | "resume" | "rebuild" | "compare" | "cutover" | "rollback" | "drop"
    >;
    readonly deadLetterBacklog: () => Promise<readonly DeadLetterBacklog[]>;
  };
  /** Aborted when the API begins to close: answers without an end have to end then. */
  readonly closing: AbortSignal;
  readonly logger: Logger;
}
