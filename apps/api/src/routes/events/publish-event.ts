import { publishQuery } from "@synap/types/http";
import { acceptEvents, type EventResult } from "../../acceptance/accept-events.ts";
import { isBinaryMode, readBinaryCloudEvent, readCloudEvent } from "../../acceptance/read-cloud-event.ts";
import { readEvent } from "../../acceptance/read-events.ts";
import type { ApiApp, ApiContext, ApiDependencies } from "../../api-dependencies.ts";
import { parseJson } from "../../body/parse-json.ts";
import {
  decodeText,
  JSON_BODY_PROBLEMS,
  readBody,
  readContentType,
  unreadableBody,
} from "../../body/read-body.ts";
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
    "Only `type` and `data` are required. Give an `id` or an `idempotencyKey` to make sending again harmless.",
  request: {
    query: publishQuery,
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
      ...EVENT_PROBLEMS,
      ...BROKER_PROBLEMS,
    ),
  },
} satisfies ApiRoute;

/** POST /api/v1/events */
export function publishEventRoute(app: ApiApp, dependencies: ApiDependencies): void {
  registerRoute(app, route, async (context, principal) => {
    const rules = readEventRules(context, principal, dependencies);
    const { raw } = context.req;
    const type = readContentType(raw, ["application/json", CLOUD_EVENT_TYPE]);
    const sent = await readEventBody(context, dependencies);
    const reading =
      type === CLOUD_EVENT_TYPE
        ? readCloudEvent(sent, rules)
        : isBinaryMode(raw.headers)
          ? readBinaryCloudEvent(raw.headers, sent, rules)
          : readEvent(sent, rules);
    dependencies.limits?.countEvents(principal, 1);
    if (!reading.ok) {
      dependencies.publishing.onOutcome("rejected", 1);
      throw eventProblem(reading.issues);
    }
    const [result] = await acceptEvents([reading], dependencies.publishing, principal);
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

/** Reads the JSON of an event's body. @throws Problem for one that can't be read */
async function readEventBody(
  context: ApiContext,
  { configuration, publishing }: ApiDependencies,
): Promise<unknown> {
  const request = context.req.raw;
  const bytes = await readBody(request, configuration.maxBodyBytes);
  publishing.publisher.assertCapacity();
  const text = decodeText(bytes);
  // The event itself is one level, around its data.
  const { maxDepth, maxBodyValues: maxValues } = configuration;
  const reading = parseJson(text, { maxDepth, around: 1, maxValues });
  if (reading.ok) return reading.value;
  const unreadable = unreadableBody(reading.findings, maxValues);
  if (unreadable !== undefined) throw unreadable;
  throw eventProblem(reading.findings.map(({ code, path, reason }) => ({ code, path, reason })));
}
