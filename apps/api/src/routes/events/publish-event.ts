import { publishHeaders, publishQuery } from "@synap/types/http";
import { readWithRegistered } from "@synap/types/internal";
import { acceptEvents, type EventResult } from "../../acceptance/accept-events.ts";
import { readIdempotencyKey } from "../../acceptance/idempotency-key.ts";
import { isBinaryMode, readBinaryCloudEvent, readCloudEvent } from "../../acceptance/read-cloud-event.ts";
import { readEvent } from "../../acceptance/read-events.ts";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { JSON_BODY_PROBLEMS, readContentType, readJson } from "../../body/read-body.ts";
import { Problem } from "../../problems/problem.ts";
import { EVENT_PROBLEMS, eventProblem } from "../../problems/to-problem.ts";
import { CLOUD_EVENT_TYPE } from "../../representations/cloud-event.ts";
import { type ApiRoute, json, jsonResponse, problemResponses, registerRoute } from "../route-registration.ts";
import { BROKER_PROBLEMS, PUBLISH_PARAMETER_PROBLEMS, readEventRules } from "./publish-parameters.ts";

const route = {
  scope: "publish",
  method: "post",
  path: "/api/v1/events",
  operationId: "publishEvent",
  tags: ["events"],
  summary: "Publish one event",
  description:
    "Only `type` and `data` are required. Give an `id`, an `idempotencyKey` or the header `Idempotency-Key` to make sending " +
    "again harmless.",
  request: {
    query: publishQuery,
    headers: publishHeaders,
    body: {
      required: true,
      content: {
        "application/json": {
          schema: {
            anyOf: [
              { $ref: "#/components/schemas/EventInput" },
              { $ref: "#/components/schemas/SnakeCaseEventInput" },
            ],
          },
        },
        [CLOUD_EVENT_TYPE]: { schema: { $ref: "#/components/schemas/CloudEventInput" } },
      },
    },
  },
  responses: {
    202: jsonResponse("Accepted: it will be stored.", "AcceptedEvent"),
    200: jsonResponse("Stored already, by an earlier request.", "DuplicateEvent"),
    ...problemResponses(
      ...JSON_BODY_PROBLEMS,
      ...PUBLISH_PARAMETER_PROBLEMS,
      "event-id-conflict",
      "stream-taken",
      "database-unavailable",
      "keys-unavailable",
      ...EVENT_PROBLEMS,
      ...BROKER_PROBLEMS,
    ),
  },
} satisfies ApiRoute;

/** POST /api/v1/events */
export function publishEventRoute(app: ApiApp, dependencies: ApiDependencies): void {
  registerRoute(app, route, async (context, principal) => {
    const idempotencyKey = readIdempotencyKey(context);
    const common = readEventRules(context, principal, dependencies);
    const rules = idempotencyKey === undefined ? common : { ...common, identity: { idempotencyKey } };
    const { raw } = context.req;
    const type = readContentType(raw, ["application/json", CLOUD_EVENT_TYPE]);
    const { configuration, publishing } = dependencies;
    const sent = await readJson(raw, configuration, {
      // The event itself, around its data.
      around: 1,
      problemOf: eventProblem,
      onRead: () => publishing.publisher.assertCapacity(),
    });
    const reading = await readWithRegistered(rules.catalogue, () =>
      type === CLOUD_EVENT_TYPE
        ? readCloudEvent(sent, rules)
        : isBinaryMode(raw.headers)
          ? readBinaryCloudEvent(raw.headers, sent, rules)
          : readEvent(sent, rules),
    );
    dependencies.limits?.countEvents(principal, 1);
    if (!reading.ok) {
      publishing.onOutcome("rejected", 1);
      throw eventProblem(reading.issues);
    }
    const [result] = await acceptEvents([reading], publishing, principal);
    switch (result?.status) {
      case "accepted":
        return json(context, 202, result);
      case "duplicate":
        return json(context, 200, result);
      case "rejected":
        throw eventProblem(result.issues, { id: reading.event.id });
      default:
        throw unavailable(result === undefined ? [] : [result]);
    }
  });
}

/** Builds the problem of unavailable events. An unconfirmed one determines it, because the sender has to act on it. */
export function unavailable(results: readonly EventResult[], members: Record<string, unknown> = {}): Problem {
  const open = results.flatMap((result) => (result.status === "unavailable" ? [result] : []));
  const [first] = open;
  if (first?.reason === undefined || open.some(({ code }) => code === undefined))
    return brokerUnavailable(members);
  const detail = `${first.reason[0]?.toUpperCase()}${first.reason.slice(1)}. Send again once the workers are up to date.`;
  return new Problem("event-type-not-ready", detail, { retryAfterSeconds: 5, members });
}

/** Builds the problem of an event that the broker did not confirm. The broker may have it, so the same id must be sent again. */
function brokerUnavailable(members: Record<string, unknown>): Problem {
  const detail = "The broker did not confirm in time. Send again, with the same id or idempotencyKey.";
  return new Problem("broker-unavailable", detail, { retryAfterSeconds: 2, members });
}
