import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import type { Principal } from "../../identity/principal.ts";
import { Problem } from "../../problems/problem.ts";
import {
  type ApiRoute,
  json,
  jsonResponse,
  problemResponses,
  refuseQuery,
  registerRoute,
  requestHead,
} from "../route-registration.ts";

const getRoute = {
  scope: "any",
  method: "get",
  path: "/api/v1/session",
  operationId: "getSession",
  tags: ["operations"],
  summary: "Get who the request is, with its scopes",
  description: "For any credential: an API key, a JWT, a session, or none on the API's own machine.",
  responses: {
    200: jsonResponse("The sender of this request.", "CurrentSession"),
    ...problemResponses("parameter-unknown"),
  },
} satisfies ApiRoute;

const endRoute = {
  scope: "any",
  method: "delete",
  path: "/api/v1/session",
  operationId: "endSession",
  tags: ["operations"],
  summary: "Sign out: end the session of the cookie",
  description:
    "The session ends at once in the process that answers, and within 30 seconds in every other one. The cookie is removed.",
  responses: {
    200: jsonResponse("The session has ended.", "EndedSession"),
    ...problemResponses("parameter-unknown", "session-missing", "database-unavailable"),
  },
} satisfies ApiRoute;

/** GET and DELETE /api/v1/session */
export function sessionRoutes(app: ApiApp, { sessions }: Pick<ApiDependencies, "sessions">): void {
  registerRoute(app, getRoute, (context, principal) => {
    refuseQuery(context);
    return json(context, 200, describe(principal));
  });
  registerRoute(app, endRoute, async (context, { credential }) => {
    refuseQuery(context);
    if (credential.kind !== "session" || sessions.end === undefined) throw nothingToEnd(credential);
    await sessions.end(credential.id);
    const cleared = { "set-cookie": sessions.cookie(requestHead(context)).clear() };
    return json(context, 200, { ended: credential.id }, cleared);
  });
}

function describe({ kind, id, scopes, credential, expiresAt }: Principal): object {
  return {
    kind,
    id,
    scopes: [...scopes].sort(),
    credential,
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt).toISOString() }),
  };
}

function nothingToEnd({ kind }: Principal["credential"]): Problem {
  const how = { key: "an API key", jwt: "a JWT", local: "being from this machine", session: "a session" }[
    kind
  ];
  return new Problem(
    "session-missing",
    `The request was identified by ${how}, and only a session can be signed out of.`,
  );
}
