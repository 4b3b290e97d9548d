import type { CallOptions } from "./contract.ts";
import { eachOf } from "./pages.ts";
import type { Resource } from "./resources.ts";
import type { Transport } from "./transport.ts";

/** A schema as the client sees it: only its type counts. Every Zod schema is one. */
export interface SchemaTypes<Output = unknown> {
  readonly _zod: { readonly output: Output };
}

/** A read model as the client sees it: only its types count. `typeof openOrders` is one. */
export interface ReadModelTypes {
  readonly path: string;
  readonly parameters: SchemaTypes<object>;
  readonly response: SchemaTypes;
}

/** The parameters of a read model, in the form that `read` gets them: they are written into the address as text. */
export type ParametersOf<Model extends ReadModelTypes> = Model["parameters"]["_zod"]["output"];

/** The answer of a read model. */
export type ResponseOf<Model extends ReadModelTypes> = Model["response"]["_zod"]["output"];

/** The parameters of a read model, which may be left out where none is required, and the options of the call. */
export type ReadModelArguments<Model extends ReadModelTypes> =
  Record<never, never> extends ParametersOf<Model>
    ? [parameters?: ParametersOf<Model>, options?: CallOptions]
    : [parameters: ParametersOf<Model>, options?: CallOptions];

/** Reads any read model. @internal */
export async function readModel<Model extends ReadModelTypes>(
  transport: Transport,
  path: string,
  parameters: object = {},
  { signal }: CallOptions = {},
): Promise<ResponseOf<Model>> {
  const query = { ...parameters };
  const response = await transport.call("readModel", { path: { readModel: path }, query, signal });
  // The read model that the client was given is the one that this API serves.
  return response as ResponseOf<Model>;
}

type ItemOf<List> = List extends readonly (infer Item)[] ? Item : never;

/** A note. */
export type Note = ItemOf<Resource<"Notes">["notes"]>;
/** An entry of the audit log. */
export type AuditEntry = ItemOf<Resource<"AuditLog">["entries"]>;

/** The read models that come with Synap. */
export interface ReadModels {
  /** Reads the open loops of a user, the most urgent first. */
  whatsNext(
    query: { readonly owner: string; readonly limit?: number } & CallOptions,
  ): Promise<Resource<"OpenLoops">>;
  /** Open tasks, the soonest due first. */
  openTasks(
    query?: { readonly owner?: string; readonly limit?: number } & CallOptions,
  ): Promise<Resource<"Tasks">>;
  /** Reservations of a guest, or those between two days. */
  reservations(query: ReservationsQuery & CallOptions): Promise<Resource<"Reservations">>;
  /** A user's notes, the last written first, fetched page by page. */
  notes(
    query: { readonly userId: string; readonly pageSize?: number } & CallOptions,
  ): AsyncGenerator<Note, void, void>;
  /** Iterates over the audit log, newest first, fetching page by page. */
  auditLog(query?: AuditQuery & CallOptions): AsyncGenerator<AuditEntry, void, void>;
  /** Counts of events by type and kind of actor, from one day to another. Days are YYYY-MM-DD. */
  compliance(
    query: { readonly from: string; readonly to: string } & CallOptions,
  ): Promise<Resource<"Compliance">>;
}

/** Filter of reservations. Days are YYYY-MM-DD. */
export type ReservationsQuery =
  | { readonly guest: string }
  | { readonly from: string; readonly to: string; readonly resource?: string };

/** Filter of the audit log: by actor or by subject. */
export interface AuditQuery {
  readonly actor?: string;
  readonly subjectType?: string;
  readonly subjectId?: string;
  readonly pageSize?: number;
}

/** Read models through a transport. @internal */
export function createReadModels(transport: Transport): ReadModels {
  return {
    whatsNext: ({ signal, ...query }) => transport.call("openLoops", { query, signal }),
    openTasks: ({ signal, ...query } = {}) => transport.call("tasks", { query, signal }),
    reservations: ({ signal, ...query }) => transport.call("reservations", { query: { ...query }, signal }),
    notes: ({ signal, userId, pageSize }) =>
      eachOf<Note, string>(async (cursor) => {
        const page = await transport.call("notes", {
          query: { userId, limit: pageSize, cursor },
          signal,
        });
        return { items: page.notes, next: page.nextCursor };
      }),
    auditLog: ({ signal, pageSize, ...filter } = {}) =>
      eachOf<AuditEntry, string>(async (cursor) => {
        const page = await transport.call("auditLog", {
          query: { ...filter, limit: pageSize, cursor },
          signal,
        });
        return { items: page.entries, next: page.nextCursor };
      }),
    compliance: ({ signal, ...query }) => transport.call("compliance", { query, signal }),
  };
}
