import type { ApplicationMigrations } from "@synap/database";
import type { EventTypeDefinition } from "@synap/types";
import type { AggregateRegistration } from "./aggregates/aggregate-registration.ts";
import type { IEventHandler } from "./handler/event-handler.ts";
import type { Projection } from "./projections/projection.ts";
import type { ReadModel } from "./read-models/read-model.ts";
import type { Sink } from "./sinks/sink.ts";

/** A part of an application: event types and the code that runs for them. */
export interface SynapModule {
  readonly eventTypes?: readonly EventTypeDefinition[];
  /** The handlers; inline ones run in this order. */
  readonly handlers?: readonly IEventHandler[];
  readonly projections?: readonly Projection[];
  /** The systems outside of the database that follow the log. */
  readonly sinks?: readonly Sink[];
  readonly aggregates?: readonly AggregateRegistration[];
  /** Queries over read tables, served over HTTP. */
  readonly readModels?: readonly ReadModel[];
  /** The module's own SQL migrations, applied after Synap's by the same `migrate` and recorded in a separate ledger. */
  readonly migrations?: ApplicationMigrations;
}
