import type { EventCatalogue, EventTypeDefinition } from "@synap/types";
import { conditionHeaders, EVENT_RESOURCES } from "@synap/types/http";
import { madeOfTypes } from "@synap/types/internal";
import type { z } from "zod";
import type { ApiApp, ApiDependencies } from "../api-dependencies.ts";
import { RELEASE } from "../release.ts";
import { conditionalJson, ETAG } from "./conditional-response.ts";
import { describeSchema } from "./json-schema.ts";
import { type ApiRoute, problemResponses, refuseQuery, registerRoute } from "./route-registration.ts";

const route = {
  scope: "read",
  method: "get",
  path: "/asyncapi.json",
  operationId: "asyncapi",
  tags: ["operations"],
  summary: "Get the event types as an AsyncAPI document",
  description:
    "For each event type, the message that is sent to publish it and the one that a subscriber receives.",
  request: { headers: conditionHeaders },
  responses: {
    200: {
      description: "AsyncAPI 3.0.",
      content: { "application/json": { schema: { type: "object" } } },
      headers: { ETag: ETAG },
    },
    304: { description: "It is as If-None-Match has it." },
    ...problemResponses("parameter-unknown", "database-unavailable"),
  },
} satisfies ApiRoute;

/** GET /asyncapi.json, created from the event types of the code and those that are registered. */
export function asyncapiRoute(app: ApiApp, { catalogue }: Pick<ApiDependencies, "catalogue">): void {
  const document = madeOfTypes(catalogue, (types) => JSON.stringify(asyncapiDocument({ types })));
  registerRoute(app, route, async (context) => {
    refuseQuery(context);
    return conditionalJson(context, await document());
  });
}

/**
 * The two ways of an event: into Synap when it is published, and out of it when it is stored. The names of messages begin with
 * their envelope, in upper case, because the names of event types are in lower case.
 *
 * @see https://www.asyncapi.com/docs/reference/specification/v3.0.0
 */
const CHANNELS = {
  publishedEvents: {
    address: "/api/v1/events",
    title: "Events that are published",
    description:
      "One event for each POST. Synap answers 202 once it has accepted the event, or a problem document.",
    envelope: "EventInput",
    operation: "receivePublishedEvent",
    action: "receive",
    method: "POST",
  },
  storedEvents: {
    address: "/api/v1/events/stream",
    title: "Events that are stored",
    description:
      "Server-sent events in the order of their positions. The data of each has one stored event, and what it accounts for.",
    envelope: "StreamedEvent",
    operation: "sendStoredEvent",
    action: "send",
    method: "GET",
  },
} as const;

/** The AsyncAPI document of a catalogue. */
export function asyncapiDocument({ types }: Pick<EventCatalogue, "types">): unknown {
  const channels = Object.entries(CHANNELS);
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Synap",
      version: RELEASE,
      description:
        "The event types of this application, as they are published and as subscribers receive them.",
      license: { name: "MIT", url: "https://opensource.org/license/mit" },
    },
    defaultContentType: "application/json",
    channels: Object.fromEntries(
      channels.map(([name, { address, title, description, envelope }]) => [
        name,
        {
          address,
          title,
          description,
          messages: Object.fromEntries(
            types.map((type) => [type.name, referTo("messages", messageName(envelope, type))]),
          ),
        },
      ]),
    ),
    operations: Object.fromEntries(
      channels.map(([name, { operation, action, title, method }]) => [
        operation,
        { action, title, channel: { $ref: `#/channels/${name}` }, bindings: { http: { method } } },
      ]),
    ),
    components: {
      messages: Object.fromEntries(
        channels.flatMap(([, { envelope }]) =>
          types.map((type) => [messageName(envelope, type), describeMessage(envelope, type)]),
        ),
      ),
      schemas: Object.fromEntries([
        ...channels.map(([, { envelope }]) => [
          envelope,
          describeComponent(envelope, EVENT_RESOURCES[envelope]),
        ]),
        ...types.map((type) => [dataName(type), describeComponent(dataName(type), type.schema)]),
      ]),
    },
  };
}

type Envelope = (typeof CHANNELS)[keyof typeof CHANNELS]["envelope"];

function describeMessage(envelope: Envelope, type: EventTypeDefinition) {
  const { name, aggregateType, description, example } = type;
  const event = {
    type: "object",
    properties: { type: { const: name }, data: referTo("schemas", dataName(type)) },
  };
  return {
    name,
    title: name,
    summary: description,
    payload: {
      allOf: [
        referTo("schemas", envelope),
        envelope === "StreamedEvent" ? { type: "object", properties: { event } } : event,
      ],
    },
    // Of a stored event it would be made up.
    ...(envelope === "EventInput" && {
      examples: [{ name, payload: { type: name, aggregateType, data: example } }],
    }),
  };
}

const messageName = (envelope: Envelope, { name }: EventTypeDefinition) => `${envelope}.${name}`;
const dataName = ({ name }: EventTypeDefinition) => `Data.${name}`;
const referTo = (kind: "messages" | "schemas", name: string) => ({ $ref: `#/components/${kind}/${name}` });

/** A schema as JSON Schema draft 7, of which AsyncAPI's own schemas are a superset, with references from the document's root. */
function describeComponent(name: string, schema: z.ZodType): unknown {
  return describeSchema(schema, { target: "draft-7" }, (key, value) =>
    key === "$ref" && typeof value === "string" ? value.replace(/^#/, `#/components/schemas/${name}`) : value,
  );
}
