import { RegisteredSchemaError, TypeRegistrationError } from "@synap/database";
import { type EventTypeDefinition, EventTypeDefinitionError } from "@synap/types";
import { eventTypePath, eventTypeRegistration, type ProblemCode } from "@synap/types/http";
import { describeEventType } from "@synap/types/internal";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { JSON_BODY_PROBLEMS, readJsonBody } from "../../body/read-body.ts";
import type { Principal } from "../../identity/principal.ts";
import { Problem } from "../../problems/problem.ts";
import { readActor } from "../admin/admin-route.ts";
import {
  type ApiRoute,
  json,
  jsonBody,
  jsonResponse,
  problemResponses,
  readPathParameter,
  refuseQuery,
  registerRoute,
} from "../route-registration.ts";

/** Maximum nesting of a registration: its schema's own, and the body around it. */
const MAX_DEPTH = 70;

const route = {
  scope: "register-types",
  method: "put",
  path: "/api/v1/events/types/{name}",
  operationId: "registerEventType",
  tags: ["events"],
  summary: "Register an event type, or a new version of one, without code",
  description:
    "Events of it are accepted from the answer on, by every process. A new version has to accept all data that the one before it accepts. " +
    "The same registration again changes nothing. A type that is defined in code can't be registered.",
  request: { params: eventTypePath, body: jsonBody(eventTypeRegistration) },
  responses: {
    201: jsonResponse("A new event type.", "RegisteredEventType"),
    200: jsonResponse("A new version, or nothing new.", "RegisteredEventType"),
    ...problemResponses(
      ...JSON_BODY_PROBLEMS,
      "actor-invalid",
      "body-invalid",
      "parameter-invalid",
      "parameter-unknown",
      "event-type-in-code",
      "event-type-incompatible",
      "event-type-invalid",
      "too-many-event-types",
      "database-unavailable",
    ),
  },
} satisfies ApiRoute;

/** PUT /api/v1/events/types/{name} */
export function registerEventTypeRoute(
  app: ApiApp,
  { registerType, configuration, logger }: ApiDependencies,
): void {
  registerRoute(app, route, async (context, principal) => {
    refuseOfOwnRows(principal);
    refuseQuery(context);
    const name = readPathParameter(context, "name", eventTypePath.shape.name);
    const sent = await readJsonBody(context.req.raw, eventTypeRegistration, {
      ...configuration,
      maxDepth: MAX_DEPTH,
    });
    const actor = readActor(context, principal);
    const { outcome, type } = await registerType({ ...sent, name }, actor).catch((error: unknown) => {
      throw asProblem(error);
    });
    if (outcome !== "unchanged") logChange(logger, { actor, outcome, type });
    return json(context, outcome === "registered" ? 201 : 200, {
      outcome,
      eventType: describeEventType(type),
    });
  });
}

function logChange(
  logger: ApiDependencies["logger"],
  {
    actor,
    outcome,
    type: { name, version },
  }: { readonly actor: string; readonly outcome: string; readonly type: EventTypeDefinition },
): void {
  logger.info({ actor, type: name, version, outcome }, "event type registered");
}

/** Users and agents may not register types, because a type holds for all events. */
function refuseOfOwnRows({ kind }: Principal): void {
  if (kind !== "user" && kind !== "agent") return;
  throw new Problem(
    "scope-missing",
    `Event types are registered by staff and machines, not by a principal of kind ${kind}.`,
  );
}

const CODES = {
  TYPE_IN_CODE: "event-type-in-code",
  TYPE_INCOMPATIBLE: "event-type-incompatible",
  TOO_MANY_TYPES: "too-many-event-types",
} as const satisfies Record<TypeRegistrationError["code"], ProblemCode>;

function asProblem(error: unknown): unknown {
  if (error instanceof RegisteredSchemaError)
    return new Problem("event-type-invalid", error.message, {
      errors: error.issues.map(({ path, ...issue }) => ({ path: `/schema${path}`, ...issue })),
      cause: error,
    });
  if (error instanceof EventTypeDefinitionError)
    return new Problem("event-type-invalid", error.message, { cause: error });
  if (!(error instanceof TypeRegistrationError)) return error;
  const { findings } = error;
  return new Problem(CODES[error.code], error.message, {
    ...(findings.length > 0 && { members: { findings } }),
    cause: error,
  });
}
