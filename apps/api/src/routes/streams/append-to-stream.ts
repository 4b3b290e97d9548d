import type { StreamEventInput } from "@synap/database";
import { limitedAppends } from "@synap/database/internal";
import type { TraceContext } from "@synap/types";
import { preconditionHeaders, publishQuery, streamPath } from "@synap/types/http";
import { withTraceContext } from "@synap/types/internal";
import { type ActorFields, actorIssues } from "../../acceptance/acting.ts";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { JSON_BODY_PROBLEMS } from "../../body/read-body.ts";
import { visibilityOf } from "../../identity/visibility.ts";
import { EVENT_PROBLEMS, eventProblem } from "../../problems/to-problem.ts";
import { PUBLISH_PARAMETER_PROBLEMS, readEventRules } from "../events/publish-parameters.ts";
import { readExpectedVersion, versionTag } from "../expected-version.ts";
import { positionHeader, positionOfAnswer } from "../read-position.ts";
import { type ApiRoute, json, jsonResponse, problemResponses, registerRoute } from "../route-registration.ts";
import { readStreamBody } from "./read-stream-body.ts";
import { readStreamName } from "./stream-parameters.ts";

const route = {
  scope: "publish",
  method: "post",
  path: "/api/v1/streams/{aggregateType}/{aggregateId}/events",
  operationId: "appendToStream",
  tags: ["streams"],
  summary: "Append events to a stream at an expected version, all or none",
  description:
    "Answers when the events are stored and the inline handlers have run. Give each event an `id` to make a retry " +
    "harmless: it gets the same response.",
  request: {
    params: streamPath,
    query: publishQuery,
    headers: preconditionHeaders,
    body: {
      required: true,
      content: {
        "application/json": {
          schema: {
            anyOf: [
              { $ref: "#/components/schemas/StreamAppend" },
              { $ref: "#/components/schemas/SnakeCaseStreamAppend" },
            ],
          },
        },
      },
    },
  },
  responses: {
    201: {
      ...jsonResponse("Stored. ETag is the stream's version.", "StreamAppended"),
      headers: positionOfAnswer,
    },
    200: {
      ...jsonResponse("All events were already stored by an earlier request.", "StreamAppended"),
      headers: positionOfAnswer,
    },
    ...problemResponses(
      ...JSON_BODY_PROBLEMS,
      "batch-invalid",
      "precondition-invalid",
      ...PUBLISH_PARAMETER_PROBLEMS,
      "optimistic-lock",
      "stream-closed",
      "stream-taken",
      "event-id-conflict",
      "batch-too-large",
      ...EVENT_PROBLEMS,
      "handler-refused",
      "transaction-ended",
      "stream-locked",
      "database-unavailable",
      "visibility-unavailable",
    ),
  },
} satisfies ApiRoute;

/** POST /api/v1/streams/{aggregateType}/{aggregateId}/events */
export function appendToStreamRoute(app: ApiApp, dependencies: ApiDependencies): void {
  registerRoute(app, route, async (context, principal) => {
    const stream = readStreamName(context);
    const { lateness, actor, trace } = readEventRules(context, principal, dependencies);
    const body = await readStreamBody(context, dependencies);
    const expected = readExpectedVersion(context, body.expectedVersion);
    dependencies.limits?.countEvents(principal, body.events.length);
    const events = ofTrace(ofActor(body.events, actor), trace);
    const appends = limitedAppends(dependencies.store, visibilityOf(principal));
    const result = await appends.appendToStream(stream, expected, events, {
      timestamps: lateness === undefined ? "backfill" : "live",
    });
    const isNew = result.events.some(({ duplicate }) => !duplicate);
    const headers = { ...versionTag(result.streamVersion), ...positionHeader(result.position) };
    return json(context, isNew ? 201 : 200, result, headers);
  });
}

/** The events with the actor fields of their sender. @throws Problem `not-yourself` */
function ofActor(
  events: readonly StreamEventInput[],
  actor: ActorFields | undefined,
): readonly StreamEventInput[] {
  if (actor === undefined) return events;
  const issues = events.flatMap((event, index) => actorIssues(event, actor, `events[${index}].`));
  if (issues.length > 0) throw eventProblem(issues);
  return events.map((event) => ({ ...event, ...actor }));
}

/** The events with the trace of their request. */
function ofTrace(
  events: readonly StreamEventInput[],
  trace: TraceContext | undefined,
): readonly StreamEventInput[] {
  if (trace === undefined) return events;
  return events.map((event) => ({ ...event, metadata: withTraceContext(event.metadata, trace) }));
}
