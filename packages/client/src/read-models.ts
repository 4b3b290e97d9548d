import { sleep } from "./backoff.ts";
import type { CallOptions } from "./contract.ts";
import { isProblem } from "./errors.ts";
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
    ? [parameters?: ParametersOf<Model>, options?: ReadModelOptions]
    : [parameters: ParametersOf<Model>, options?: ReadModelOptions];

/** Options of a read of a read model. */
export interface ReadModelOptions extends CallOptions {
  /** Waits until the read model has the events up to this position: that of an append, of a command or of a stored event. */
  readonly after?: number | undefined;
  /** Seconds to wait for it. Default 10. */
  readonly waitSeconds?: number | undefined;
  /** Reads it as it was at this moment, by when events were stored. Problem `moment-in-future` for one that is still to come. */
  readonly asOf?: Date | string | undefined;
  /**
   * Reads it as it was known at this moment, with corrections applied. Default, with `validAt`: as it is known now. Problem
   * `moment-in-future` for one that is still to come; `parameter-invalid` together with `asOf`.
   */
  readonly knownAt?: Date | string | undefined;
  /** Reads it as it held at this moment, by the validity of the events. Default, with `knownAt`: the same moment. */
  readonly validAt?: Date | string | undefined;
}

/** Seconds that one request may wait. */
const LONGEST_WAIT = 10;

/** Sends a read until it is answered, or time is up. @throws SynapProblem `position-not-reached` */
async function atPosition<Answer>(
  { after, waitSeconds = LONGEST_WAIT, signal }: ReadModelOptions,
  send: (call: CallOptions & { minPosition?: number; waitSeconds?: number }) => Promise<Answer>,
): Promise<Answer> {
  if (after === undefined) return send({ signal });
  const end = performance.now() + waitSeconds * 1_000;
  const left = () => Math.max(0, end - performance.now());
  for (;;) {
    try {
      const seconds = Math.min(LONGEST_WAIT, Math.ceil(left() / 1_000));
      return await send({ signal, minPosition: after, waitSeconds: seconds });
    } catch (error) {
      if (!isProblem(error, "position-not-reached") || left() === 0) throw error;
      // The API may have been busy and not have waited.
      await sleep(Math.min(left(), 1_000), signal);
    }
  }
}

/** Reads any read model. @internal */
export async function readModel<Model extends ReadModelTypes>(
  transport: Transport,
  path: string,
  parameters: object = {},
  options: ReadModelOptions = {},
): Promise<ResponseOf<Model>> {
  const query = { ...parameters, ...pastOf(options) };
  const response = await atPosition(options, (call) =>
    transport.call("readModel", { path: { readModel: path }, query, ...call }),
  );
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
    query: { readonly owner: string; readonly limit?: number } & ReadModelOptions,
  ): Promise<Resource<"OpenLoops">>;
  /** Open tasks, the soonest due first. */
  openTasks(
    query?: { readonly owner?: string; readonly limit?: number } & ReadModelOptions,
  ): Promise<Resource<"Tasks">>;
  /** Reservations of a guest, or those between two days. */
  reservations(query: ReservationsQuery & ReadModelOptions): Promise<Resource<"Reservations">>;
  /** Notes of a user or of a creator, or all that the caller may see, the last written first, fetched page by page. */
  notes(
    query?: {
      readonly userId?: string;
      readonly createdBy?: string;
      readonly pageSize?: number;
    } & ReadModelOptions,
  ): AsyncGenerator<Note, void, void>;
  /** Iterates over the audit log, newest first, fetching page by page. */
  auditLog(query?: AuditQuery & ReadModelOptions): AsyncGenerator<AuditEntry, void, void>;
  /** Counts of events by type and kind of actor, from one day to another. Days are YYYY-MM-DD. */
  compliance(
    query: { readonly from: string; readonly to: string } & ReadModelOptions,
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
    whatsNext: (request) =>
      atPosition(request, (call) => transport.call("openLoops", { query: queryOf(request), ...call })),
    openTasks: (request = {}) =>
      atPosition(request, (call) => transport.call("tasks", { query: queryOf(request), ...call })),
    reservations: (request) =>
      atPosition(request, (call) => transport.call("reservations", { query: queryOf(request), ...call })),
    notes: ({ pageSize, ...request } = {}) =>
      eachOf<Note, string>(async (cursor) => {
        const query = { ...queryOf(request), limit: pageSize, cursor };
        const page = await atPosition(request, (call) => transport.call("notes", { query, ...call }));
        return { items: page.notes, next: page.nextCursor };
      }),
    auditLog: ({ pageSize, ...request } = {}) =>
      eachOf<AuditEntry, string>(async (cursor) => {
        const query = { ...queryOf(request), limit: pageSize, cursor };
        const page = await atPosition(request, (call) => transport.call("auditLog", { query, ...call }));
        return { items: page.entries, next: page.nextCursor };
      }),
    compliance: (request) =>
      atPosition(request, (call) => transport.call("compliance", { query: queryOf(request), ...call })),
  };
}

/** The parameters of a request without the options of its call. */
function queryOf<Request extends ReadModelOptions>(request: Request): Omit<Request, keyof ReadModelOptions> {
  const {
    after: _,
    waitSeconds: __,
    signal: ___,
    asOf: _asOf,
    knownAt: _knownAt,
    validAt: _validAt,
    ...query
  } = request;
  return { ...query, ...pastOf(request) };
}

/** The parameters of a read of the past. */
interface PastQuery {
  readonly asOf?: Date | string;
  readonly knownAt?: Date | string;
  readonly validAt?: Date | string;
}

function pastOf({ asOf, knownAt, validAt }: ReadModelOptions): PastQuery {
  return {
    ...(asOf !== undefined && { asOf }),
    ...(knownAt !== undefined && { knownAt }),
    ...(validAt !== undefined && { validAt }),
  };
}
