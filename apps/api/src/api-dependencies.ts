import type { HttpBindings } from "@hono/node-server";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { ConnectionUse, EventReads, EventStore, ReplicaUse, Visibility } from "@synap/database";
import type {
  DeadLetterBacklog,
  DeadLetterCounts,
  EventStats,
  EventStatsRequest,
  PersonalData,
  PositionCheck,
  ProcessPresence,
  Registration,
  StoreStatistics,
  TypeDescription,
} from "@synap/database/internal";
import type { IEventHandler, Projection, Projections, ReadModel, ReadSession, Sinks } from "@synap/handlers";
import type {
  EngineDeadLetters,
  EventProcessingReader,
  InTransit,
  KeptInBroker,
  KnownNames,
  ModelPositions,
  OperatingWarning,
  PastReads,
} from "@synap/handlers/internal";
import type { ProcessMetrics, ReadinessCheck } from "@synap/service";
import type { ServedAggregate } from "@synap/synap/internal";
import type { EventCatalogue } from "@synap/types";
import type { Context } from "hono";
import type { Logger } from "pino";
import type { PublishDependencies } from "./acceptance/accept-events.ts";
import type { ApiConfiguration } from "./configuration.ts";
import type { Authenticate } from "./identity/authentication.ts";
import type { CredentialWatch, LongRequest } from "./identity/credential-watch.ts";
import type { Principal } from "./identity/principal.ts";
import type { SessionCookie } from "./identity/session-cookie.ts";
import type { SessionPrincipals } from "./identity/session-principals.ts";
import type { PageBudget } from "./page-budget.ts";
import type { PrincipalLimits } from "./rate-limits/principal-limits.ts";
import type { ProviderSignIn } from "./signing-in/provider-sign-in.ts";
import type { SignInLinks } from "./signing-in/sign-in-links.ts";

/** Variables of every request. */
export interface ApiEnvironment {
  Variables: {
    requestId: string;
    authenticate: Authenticate;
    checkPosition: PositionCheck;
    /** Missing where nothing is limited. */
    limits?: PrincipalLimits | undefined;
    /** The sender, once it is known. */
    principal?: Principal;
    /** The path of the route, with its parameters in braces. Missing if no route matched. */
    route?: string;
    /** True if a browser shows the answer, also a problem. */
    isPage?: boolean;
  };
  /** Node's request and response; absent without a server. */
  Bindings: Partial<HttpBindings>;
}

export type ApiApp = OpenAPIHono<ApiEnvironment>;
export type ApiContext = Context<ApiEnvironment>;

/** Dependencies of the routes. */
export interface ApiDependencies {
  readonly configuration: ApiConfiguration;
  /** Finds out who a request is. */
  readonly authenticate: Authenticate;
  /** Refuses the position of a request that is of lost events. */
  readonly checkPosition: PositionCheck;
  /** The sessions of browsers, and their cookie. `end` and `links` are missing where sessions are not accepted. */
  readonly sessions: {
    readonly cookie: SessionCookie;
    readonly end?: SessionPrincipals["end"];
    readonly links?: SignInLinks;
    /** Signing in at the identity provider; missing without one. */
    readonly provider?: ProviderSignIn;
  };
  /** Watches the credential of a long response. @throws Problem `credential-ended` */
  readonly watchCredential: (request: LongRequest) => CredentialWatch;
  /** Undefined where principals are not limited. */
  readonly limits?: PrincipalLimits | undefined;
  readonly catalogue: EventCatalogue;
  /** Registers an event type for an actor. @throws as `registerEventType` */
  readonly registerType: (description: TypeDescription, actor: string) => Promise<Registration>;
  /** The store. An inline handler that refuses a command's events refuses the command. */
  readonly store: Pick<EventStore, "appendToStream" | "closeStream" | "findDuplicates" | "visibleTo">;
  /** Reading of stored events, from a replica if there is one. */
  readonly reads: Pick<EventReads, "visibleTo">;
  /** Opens and masks personal values; undefined where no event has any. */
  readonly personalData?: Pick<PersonalData, "open" | "mask" | "lookUp"> | undefined;
  readonly publishing: PublishDependencies;
  /** The names that filters may have. */
  readonly names: KnownNames;
  /** The aggregates, with their repositories. */
  readonly aggregates: readonly ServedAggregate[];
  readonly readModels: readonly ReadModel[];
  /** Reads read models together with the position that they have reached. */
  readonly modelPositions: ModelPositions;
  /** Reads read models as they were. */
  readonly pastReads: PastReads;
  /** Sessions for reading the rows of read models that a caller may see. */
  readonly readTables: (visibility: Visibility) => ReadSession;
  /** Counters and histograms of this process. */
  readonly metrics: ProcessMetrics;
  /** Counts the events of a period that a caller may see. @throws PeriodTooLargeError */
  readonly eventStats: (visibility: Visibility, request: EventStatsRequest) => Promise<EventStats>;
  readonly statistics: () => Promise<StoreStatistics>;
  /** State of the connections to the database. */
  readonly connections: () => readonly ConnectionUse[];
  /** Use, lag and reads of the replica; undefined without one. */
  readonly replica: () => ReplicaUse | undefined;
  /** Memory budget for the pages that are read and sent. */
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
  /** Warnings for an operator; the API still serves. */
  readonly warnings: () => Promise<readonly OperatingWarning[]>;
  /** The other running processes. */
  readonly processes: Pick<ProcessPresence, "instance" | "look">;
  /** Envelopes and runs that the broker holds until an operator acts; undefined when the broker does not report them. */
  readonly keptInBroker: () => Promise<KeptInBroker | undefined>;
  /** The sampled accepted events of this process that have not arrived in the store. */
  readonly inTransit: () => Promise<InTransit | undefined>;
  /** Number of dead letters that hold accepted events that are not stored. */
  readonly notStored: () => Promise<DeadLetterCounts>;
  /** Further dependencies of the admin routes. */
  readonly admin: {
    readonly handlers: readonly Pick<IEventHandler, "name" | "description" | "mode">[];
    /** The projections of the application. The status names each build of one, as PROJECTION/BUILD. */
    readonly projectionDefinitions: readonly Pick<Projection, "name" | "description" | "mode">[];
    readonly deadLetters: Pick<EngineDeadLetters, "page" | "retry" | "retryAll" | "skip">;
    readonly sinks: Pick<Sinks, "status" | "get" | "pause" | "resume">;
    readonly projections: Pick<
      Projections,
      | "status"
      | "inlineBuilds"
      | "asOf"
      | "pause"
      | "resume"
      | "rebuild"
      | "compare"
      | "cutover"
      | "rollback"
      | "drop"
    >;
    readonly processing: Pick<EventProcessingReader, "of" | "ofEach" | "resolve" | "unprocessed">;
    readonly deadLetterBacklog: () => Promise<readonly DeadLetterBacklog[]>;
  };
  /** Aborted when the API begins to close, to end streaming responses. */
  readonly closing: AbortSignal;
  readonly logger: Logger;
}
