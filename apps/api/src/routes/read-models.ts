import { VisibilityUnavailableError } from "@synap/database";
import { RowsNotOwnedError, sqlState } from "@synap/database/internal";
import {
  AsOfBusyError,
  AsOfUnavailableError,
  PositionNotReachedError,
  type ReadModel,
} from "@synap/handlers";
import { asError, askedPast, componentOf } from "@synap/handlers/internal";
import { modelHeaders, pastParameters } from "@synap/types/http";
import type { ApiApp, ApiDependencies } from "../api-dependencies.ts";
import { visibilityOf } from "../identity/visibility.ts";
import { Problem } from "../problems/problem.ts";
import { sendPage } from "./page-response.ts";
import { closedSignal, modelPositionHeader, positionOfModel, readPositionWait } from "./read-position.ts";
import {
  type ApiRoute,
  jsonResponse,
  problemResponses,
  readQuery,
  registerRoute,
} from "./route-registration.ts";

/** SQLSTATE undefined_table: of a view too. */
const UNDEFINED_TABLE = "42P01";

type ModelDependencies = Pick<
  ApiDependencies,
  "closing" | "modelPositions" | "pastReads" | "readTables" | "pages"
>;

/** GET /api/v1/{path} of every read model. */
export function readModelRoutes(
  app: ApiApp,
  dependencies: ModelDependencies & Pick<ApiDependencies, "readModels">,
): void {
  for (const model of dependencies.readModels) readModelRoute(app, dependencies, model);
}

/** GET of one read model: for callers who see only their own rows, if it has those. */
function readModelRoute(
  app: ApiApp,
  { closing, modelPositions, pastReads, readTables, pages }: ModelDependencies,
  model: ReadModel,
): void {
  const component = componentOf(model);
  const query = model.parameters.safeExtend(pastParameters);
  const route: ApiRoute = {
    scope: model.ownRows === true ? "read" : "read-all",
    method: "get",
    path: `/api/v1/${model.path}`,
    operationId: component.slice(0, 1).toLowerCase() + component.slice(1),
    summary: model.description,
    tags: ["read models"],
    request: { query, headers: modelHeaders },
    responses: {
      200: { ...jsonResponse("The current rows of the read model.", component), headers: positionOfModel },
      ...problemResponses(
        "parameter-invalid",
        "position-lost",
        "events-archived",
        "parameter-unknown",
        "cursor-invalid",
        "moment-in-future",
        "as-of-too-long",
        "as-of-unavailable",
        "as-of-busy",
        "read-model-missing",
        "position-not-reached",
        "too-many-pages",
        "database-unavailable",
        "visibility-unavailable",
        ...(model.ownRows === true ? (["rows-not-owned"] as const) : []),
      ),
    },
  };
  registerRoute(app, route, async (context, principal) => {
    const { asOf, knownAt, validAt, ...parameters } = readQuery(context, query);
    const visibility = visibilityOf(principal);
    const past = readPast(asOf, knownAt, validAt);
    if (past !== undefined) {
      return sendPage(context, pages, async (maxBytes) => {
        const read = { visibility, parameters, past, maxBytes };
        const { answer, position } = await pastReads.read(model, read).catch(refuse);
        return { body: Object(answer), headers: modelPositionHeader(position) };
      });
    }
    const session = readTables(visibility);
    const wait = readPositionWait(context);
    // Before a page is reserved: those that wait hold none of the budget.
    if (wait !== undefined) {
      const signal = AbortSignal.any([closing, closedSignal(context)]);
      await modelPositions
        .reach(model, wait.position, { waitMs: wait.waitMs, signal })
        .catch((cause: unknown) => unreached(cause, signal));
    }
    return sendPage(context, pages, async (maxBytes) => {
      const read = { session, parameters, maxBytes };
      const { answer, position } = await modelPositions.read(model, read).catch(refuse);
      return { body: Object(answer), headers: modelPositionHeader(position, wait) };
    });
  });
}

/** Reads the moment of the past that a request asks for. @throws Problem `parameter-invalid`; MomentInFutureError */
function readPast(asOf: unknown, knownAt: unknown, validAt: unknown): ReturnType<typeof askedPast> {
  if (asOf !== undefined && (knownAt !== undefined || validAt !== undefined)) {
    const path = knownAt === undefined ? "validAt" : "knownAt";
    throw new Problem("parameter-invalid", 'Give "asOf", or "knownAt" and "validAt".', {
      errors: [{ path, code: "parameter-invalid", reason: "cannot be given together with asOf" }],
    });
  }
  return askedPast({ asOf: textOf(asOf), knownAt: textOf(knownAt), validAt: textOf(validAt) });
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Maps the end of a wait to its problem. */
function unreached(cause: unknown, signal: AbortSignal): never {
  if (!(cause instanceof PositionNotReachedError || signal.aborted)) throw cause;
  const detail = signal.aborted ? "This process is shutting down. Send again." : asError(cause).message;
  throw new Problem("position-not-reached", detail, { retryAfterSeconds: 1, cause });
}

/** Maps what keeps a read model from being read to a problem: rows without an owner, or a table that no worker has created yet. */
function refuse(cause: unknown): never {
  // Drizzle wraps what its session throws.
  for (let each = cause; each instanceof Error; each = each.cause) {
    if (each instanceof VisibilityUnavailableError) throw each;
    if (each instanceof AsOfBusyError)
      throw new Problem("as-of-busy", each.message, { retryAfterSeconds: 1, cause });
    if (each instanceof AsOfUnavailableError) throw new Problem("as-of-unavailable", each.message, { cause });
    if (each instanceof RowsNotOwnedError) throw new Problem("rows-not-owned", each.message, { cause });
  }
  if (sqlState(cause) !== UNDEFINED_TABLE) throw cause;
  throw new Problem(
    "read-model-missing",
    "The table of the read model does not exist yet. Start a worker whose config has its projection.",
    {
      retryAfterSeconds: 5,
      cause,
    },
  );
}
