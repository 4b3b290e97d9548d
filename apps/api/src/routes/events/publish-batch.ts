import { batchHeaders, publishQuery } from "@synap/types/http";
import { readWithRegistered } from "@synap/types/internal";
import { acceptEvents, type BatchResult } from "../../acceptance/accept-events.ts";
import { idsUnderKey, readIdempotencyKey } from "../../acceptance/idempotency-key.ts";
import { readCloudEvent } from "../../acceptance/read-cloud-event.ts";
import {
  type EventReading,
  type ReadEvent,
  readEvent,
  readJsonBatch,
  readNdjsonBatch,
} from "../../acceptance/read-events.ts";
import type { ApiApp, ApiContext, ApiDependencies } from "../../api-dependencies.ts";
import { decodeText, JSON_BODY_PROBLEMS, readBody, readContentType } from "../../body/read-body.ts";
import type { Principal } from "../../identity/principal.ts";
import { Problem } from "../../problems/problem.ts";
import { CLOUD_EVENTS_TYPE } from "../../representations/cloud-event.ts";
import { type ApiRoute, json, jsonResponse, problemResponses, registerRoute } from "../route-registration.ts";
import { unavailable } from "./publish-event.ts";
import { BROKER_PROBLEMS, PUBLISH_PARAMETER_PROBLEMS, readEventRules } from "./publish-parameters.ts";

const route = {
  scope: "publish",
  method: "post",
  path: "/api/v1/events/batch",
  operationId: "publishBatch",
  tags: ["events"],
  summary: "Publish many events",
  description:
    "An array of events, an object with such an array under `events`, or NDJSON. Every event has its own result, in " +
    "the order of the request; an invalid event does not affect the others. With the header `Idempotency-Key`, sending it " +
    "again is harmless.",
  request: {
    query: publishQuery,
    headers: batchHeaders,
    body: {
      required: true,
      content: {
        "application/json": {
          schema: {
            anyOf: [
              { $ref: "#/components/schemas/EventBatch" },
              { $ref: "#/components/schemas/SnakeCaseEventBatch" },
            ],
          },
        },
        "application/x-ndjson": {
          schema: {
            type: "string",
            description:
              "One event per line: `EventInput` or `SnakeCaseEventInput`. Empty lines are skipped.",
          },
        },
        [CLOUD_EVENTS_TYPE]: {
          schema: { type: "array", items: { $ref: "#/components/schemas/CloudEventInput" } },
        },
      },
    },
  },
  responses: {
    202: jsonResponse("At least one event was accepted.", "BatchResults"),
    200: jsonResponse("No event was new: all valid ones are stored already.", "BatchResults"),
    ...problemResponses(
      ...JSON_BODY_PROBLEMS,
      "batch-invalid",
      ...PUBLISH_PARAMETER_PROBLEMS,
      "batch-too-large",
      "batch-rejected",
      "database-unavailable",
      "keys-unavailable",
      ...BROKER_PROBLEMS,
    ),
  },
} satisfies ApiRoute;

/** POST /api/v1/events/batch */
export function publishBatchRoute(app: ApiApp, dependencies: ApiDependencies): void {
  registerRoute(app, route, async (context, principal) => {
    const readings = await readBatchBody(context, principal, dependencies);
    dependencies.limits?.countEvents(principal, readings.length);
    const accepted = await acceptEvents(readings, dependencies.publishing, principal);
    const results: BatchResult[] = accepted.map((result, index) => ({ index, ...result }));
    const count = (status: BatchResult["status"]) =>
      results.filter((result) => result.status === status).length;
    if (count("unavailable") > 0) throw unavailable(results, { results });
    if (count("rejected") === results.length) {
      throw new Problem("batch-rejected", "All events were rejected; see results.", {
        members: { results },
      });
    }
    return json(context, count("accepted") > 0 ? 202 : 200, { results });
  });
}

async function readBatchBody(
  context: ApiContext,
  principal: Principal,
  dependencies: ApiDependencies,
): Promise<EventReading[]> {
  const key = readIdempotencyKey(context);
  const rules = readEventRules(context, principal, dependencies);
  const { maxBodyBytes, maxBodyValues, maxBatchEvents, maxDepth } = dependencies.configuration;
  const request = context.req.raw;
  const type = readContentType(request, ["application/json", "application/x-ndjson", CLOUD_EVENTS_TYPE]);
  const bytes = await readBody(request, maxBodyBytes);
  dependencies.publishing.publisher.assertCapacity();
  const text = decodeText(bytes);
  // The event itself is one level, around its data.
  const limits = { maxEvents: maxBatchEvents, maxDepth, around: 1, maxValues: maxBodyValues };
  // Every CloudEvent has an id, which with its source identifies it.
  if (type === CLOUD_EVENTS_TYPE)
    return await readWithRegistered(rules.catalogue, () =>
      readJsonBatch(text, limits, (sent) => readCloudEvent(sent, rules)),
    );
  const idOf = key === undefined ? undefined : idsUnderKey(principal, key, ["batch"]);
  const read: ReadEvent = (sent, index) =>
    readEvent(sent, idOf === undefined ? rules : { ...rules, identity: { id: idOf(index) } });
  return await readWithRegistered(rules.catalogue, () =>
    type === "application/x-ndjson" ? readNdjsonBatch(text, limits, read) : readJsonBatch(text, limits, read),
  );
}
