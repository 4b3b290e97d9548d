import { StreamNotFoundError } from "@synap/database";
import { limitedAppends } from "@synap/database/internal";
import { emptyBody, preconditionHeaders, streamPath } from "@synap/types/http";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { JSON_BODY_PROBLEMS, readOptionalJsonBody } from "../../body/read-body.ts";
import { visibilityOf } from "../../identity/visibility.ts";
import { streamNotFound } from "../../problems/stream-not-found.ts";
import { represent, representedResponse } from "../../representations/representation.ts";
import { readExpectedVersion, versionTag } from "../expected-version.ts";
import {
  type ApiRoute,
  json,
  jsonBody,
  problemResponses,
  refuseQuery,
  registerRoute,
} from "../route-registration.ts";
import { readStreamName } from "./stream-parameters.ts";

const route = {
  scope: "publish",
  method: "post",
  path: "/api/v1/streams/{aggregateType}/{aggregateId}/close",
  operationId: "closeStream",
  tags: ["streams"],
  summary: "Close a stream, so that it accepts no more events",
  description: "Closing a closed stream changes nothing. A stream cannot be reopened.",
  request: { params: streamPath, headers: preconditionHeaders, body: jsonBody(emptyBody) },
  responses: {
    200: representedResponse("Closed.", "ClosedStream"),
    ...problemResponses(
      ...JSON_BODY_PROBLEMS,
      "body-invalid",
      "parameter-invalid",
      "parameter-unknown",
      "precondition-invalid",
      "stream-not-found",
      "optimistic-lock",
      "stream-locked",
      "database-unavailable",
      "visibility-unavailable",
    ),
  },
} satisfies ApiRoute;

/** POST /api/v1/streams/{aggregateType}/{aggregateId}/close */
export function closeStreamRoute(app: ApiApp, { store, catalogue, configuration }: ApiDependencies): void {
  registerRoute(app, route, async (context, principal) => {
    refuseQuery(context);
    const stream = readStreamName(context);
    await readOptionalJsonBody(context.req.raw, emptyBody, configuration);
    const visibility = visibilityOf(principal);
    const expected = readExpectedVersion(context);
    await limitedAppends(store, visibility)
      .closeStream(stream, expected)
      .catch((cause: unknown) => {
        throw cause instanceof StreamNotFoundError ? streamNotFound(stream, catalogue) : cause;
      });
    const info = await store.visibleTo(visibility).getStream(stream);
    if (info === undefined) throw streamNotFound(stream, catalogue);
    const { body, headers } = represent(context, { stream, ...info }, versionTag(info.streamVersion));
    return json(context, 200, body, headers);
  });
}
