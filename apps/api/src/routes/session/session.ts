import { HTTP_REQUESTS } from "@synap/types/http";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { JSON_BODY_PROBLEMS, readOptionalJsonBody } from "../../body/read-body.ts";
import type { RequestHead } from "../../identity/authentication.ts";
import { isDirect } from "../../identity/local-access.ts";
import type { Principal } from "../../identity/principal.ts";
import { signInDisabled } from "../../identity/refusals.ts";
import { Problem } from "../../problems/problem.ts";
import { requestHead } from "../../request-head.ts";
import {
  type ApiRoute,
  json,
  jsonBody,
  jsonResponse,
  problemResponses,
  refuseQuery,
  registerRoute,
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

const linkRoute = {
  scope: "any",
  method: "post",
  path: "/api/v1/session/links",
  operationId: "createSignInLink",
  tags: ["operations"],
  summary: "Make a link by which a browser signs in, once",
  description:
    "Whoever opens it within 10 minutes, and presses the button there, has a session of the principal that made it. It does not work " +
    "any more once the API key behind it is revoked. Made with an API key or a JWT.",
  request: { body: jsonBody(HTTP_REQUESTS.createSignInLink.body) },
  responses: {
    201: jsonResponse("The link. It is shown this once.", "SignInLink"),
    ...problemResponses(
      "parameter-unknown",
      "body-invalid",
      ...JSON_BODY_PROBLEMS,
      "key-or-token-needed",
      "sign-in-disabled",
      "database-unavailable",
    ),
  },
} satisfies ApiRoute;

/** GET and DELETE /api/v1/session, POST /api/v1/session/links */
export function sessionRoutes(
  app: ApiApp,
  { sessions, configuration }: Pick<ApiDependencies, "sessions" | "configuration">,
): void {
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
  registerRoute(app, linkRoute, async (context, principal) => {
    refuseQuery(context);
    if (sessions.links === undefined) throw signInDisabled();
    const { returnTo } = await readOptionalJsonBody(
      context.req.raw,
      HTTP_REQUESTS.createSignInLink.body,
      configuration,
    );
    const { publicUrl } = configuration;
    const { link, expiresAt } = await sessions.links.create(principal);
    const query = new URLSearchParams({ link, ...(returnTo !== undefined && { returnTo }) });
    return json(context, 201, {
      url: `${publicUrl ?? addressOf(requestHead(context))}/sign-in?${query}`,
      expiresAt,
    });
  });
}

/** The origin of the API for its caller. There is https wherever a browser would keep the session's cookie, and http on this machine. */
function addressOf(request: RequestHead): string {
  const { host } = request.headers;
  if (host === undefined) throw new Problem("request-invalid", "The request has no Host header.");
  return `${isDirect(request) ? "http" : "https"}://${host}`;
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
