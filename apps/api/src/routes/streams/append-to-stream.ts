import { EventIdConflictError, type StreamEventInput } from "@synap/database";
import { limitedAppends } from "@synap/database/internal";
import { EventValidationError, type TraceContext } from "@synap/types";
import { appendHeaders, publishQuery, streamPath } from "@synap/types/http";
import { withTraceContext } from "@synap/types/internal";
import { type ActorFields, actorIssues } from "../../acceptance/acting.ts";
import { idsUnderKey, isIdentified, readIdempotencyKey } from "../../acceptance/idempotency-key.ts";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { JSON_BODY_PROBLEMS } from "../../body/read-body.ts";
import { visibilityOf } from "../../identity/visibility.ts";
import { Problem } from "../../problems/problem.ts";
import { EVENT_PROBLEMS, eventProblem } from "../../problems/to-problem.ts";
import { represent, representedResponse } from "../../representations/representation.ts";
import { PUBLISH_PARAMETER_PROBLEMS, readEventRules } from "../events/publish-parameters.ts";
import { readExpectedVersion, versionTag } from "../expected-version.ts";
import { positionHeader, positionOfAnswer } from "../read-position.ts";
import { type ApiRoute, json, problemResponses, registerRoute } from "../route-registration.ts";
import { readStreamBody, type StreamBody } from "./read-stream-body.ts";
import { readStreamName } from "./stream-parameters.ts";

const route = {
  scope: "publish",
  method: "post",
  path: "/api/v1/streams/{aggregateType}/{aggregateId}/events",
  operationId: "appendToStream",
  tags: ["streams"],
  summary: "Append events to a stream at an expected version, all or none",
  description:
    "Answers when the events are stored and the inline handlers have run. Give each event an `id`, or the request " +
    "an `Idempotency-Key`, to make a retry harmless: it gets the same response.",
  request: {
    params: streamPath,
    query: publishQuery,
    headers: appendHeaders,
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
      ...representedResponse("Stored. ETag is the stream's version.", "StreamAppended"),
      headers: positionOfAnswer,
    },
    200: {
      ...representedResponse("All events were already stored by an earlier request.", "StreamAppended"),
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
      "idempotency-key-reused",
      "batch-too-large",
      ...EVENT_PROBLEMS,
      "handler-refused",
      "transaction-ended",
      "stream-locked",
      "database-unavailable",
      "keys-unavailable",
      "visibility-unavailable",
    ),
  },
} satisfies ApiRoute;

/** POST /api/v1/streams/{aggregateType}/{aggregateId}/events */
export function appendToStreamRoute(app: ApiApp, dependencies: ApiDependencies): void {
  registerRoute(app, route, async (context, principal) => {
    const stream = readStreamName(context);
    const key = readIdempotencyKey(context);
    const { lateness, actor, trace } = readEventRules(context, principal, dependencies);
    const body = await readStreamBody(context, dependencies);
    const expected = readExpectedVersion(context, body.expectedVersion);
    dependencies.limits?.countEvents(principal, body.events.length);
    const { aggregateType, aggregateId } = stream;
    const idOf = key === undefined ? undefined : idsUnderKey(principal, key, [aggregateType, aggregateId]);
    const { events, made } = withIds(ofTrace(ofActor(body, actor), trace), idOf);
    const appends = limitedAppends(dependencies.store, visibilityOf(principal));
    const result = await appends
      .appendToStream(stream, expected, events, { timestamps: lateness === undefined ? "backfill" : "live" })
      .catch((cause: unknown) => refuse(cause, body, made));
    const isNew = result.events.some(({ duplicate }) => !duplicate);
    const headers = { ...versionTag(result.streamVersion), ...positionHeader(result.position) };
    const answer = represent(context, result, headers);
    return json(context, isNew ? 201 : 200, answer.body, answer.headers);
  });
}

/** The events with the actor fields of their sender. @throws Problem `not-yourself` */
function ofActor({ events, named }: StreamBody, actor: ActorFields | undefined): readonly StreamEventInput[] {
  if (actor === undefined) return events;
  const issues = events.flatMap((event, index) => actorIssues(event, actor, `events[${index}].`));
  if (issues.length > 0) throw eventProblem(issues.map(named));
  return events.map((event) => ({ ...event, ...actor }));
}

/** The events, and the ids that were made for those of them that the sender had not identified. */
function withIds(
  events: readonly StreamEventInput[],
  idOf: ((index: number) => string) | undefined,
): { readonly events: readonly StreamEventInput[]; readonly made: ReadonlySet<string> } {
  const made = new Set<string>();
  if (idOf === undefined) return { events, made };
  const identified = events.map((event, index) => {
    if (isIdentified(event)) return event;
    const id = idOf(index);
    made.add(id);
    return { ...event, id };
  });
  return { events: identified, made };
}

/** Puts the refusal of an append into the words of its sender, who does not know the ids that were made. */
function refuse(cause: unknown, { named }: StreamBody, made: ReadonlySet<string>): never {
  if (cause instanceof EventValidationError) throw eventProblem(cause.issues.map(named));
  if (!(cause instanceof EventIdConflictError && made.has(cause.id))) throw cause;
  const detail = "Events of this append were sent before with other content under this Idempotency-Key.";
  throw new Problem("idempotency-key-reused", detail, { cause });
}

/** The events with the trace of their request. */
function ofTrace(
  events: readonly StreamEventInput[],
  trace: TraceContext | undefined,
): readonly StreamEventInput[] {
  if (trace === undefined) return events;
  return events.map((event) => ({ ...event, metadata: withTraceContext(event.metadata, trace) }));
}
