import type { RouteConfig } from "@hono/zod-openapi";
import { readAccept } from "@synap/http";
import type { StoredEvent } from "@synap/types";
import type { HTTP_RESOURCES } from "@synap/types/http";
import type { ApiContext } from "../api-dependencies.ts";
import { CLOUD_EVENT_TYPE, CLOUD_EVENTS_TYPE, toCloudEvent } from "./cloud-event.ts";
import { inSnakeCase } from "./snake-case.ts";
import { snakeCaseComponent } from "./snake-case-schema.ts";

/** The media type of responses in snake case. */
export const SNAKE_CASE_TYPE = 'application/json; profile="snake"';

/** The form of a response: camel case where a request asks for nothing else. */
export type Wanted = "camel" | "snake" | "cloud-event" | "cloud-events";

/** The form of what a request wants most of what a response can be in, which is camel case where it is nothing that it accepts. */
export function wantedBy(context: ApiContext, cloudEvents?: "cloud-event" | "cloud-events"): Wanted {
  const header = context.req.header("accept");
  // Few requests ask for it, and all others pay for two searches in a short text.
  if (header === undefined || !(header.includes("profile") || header.includes("cloudevents"))) return "camel";
  for (const { essence, parameters } of readAccept(header)) {
    if (essence === CLOUD_EVENT_TYPE && cloudEvents === "cloud-event") return cloudEvents;
    if (essence === CLOUD_EVENTS_TYPE && cloudEvents === "cloud-events") return cloudEvents;
    if (essence === "*/*" || essence === "application/*") return "camel";
    if (essence === "application/json") return parameters.get("profile") === "snake" ? "snake" : "camel";
  }
  return "camel";
}

/** A body about events, streams and aggregates, as a request asks for it, with its headers. */
export interface Represented {
  readonly body: object;
  readonly headers: Record<string, string>;
}

/**
 * Represents a body about events as the request asks for it.
 *
 * @param stored the event that the body is, or the events of which it is a page; without them it is not sent as CloudEvents
 */
export function represent(
  context: ApiContext,
  body: object,
  headers: Readonly<Record<string, string>> = {},
  stored?: StoredEvent | readonly StoredEvent[],
): Represented {
  const as = (type: string) => ({ ...headers, vary: "accept", "content-type": type });
  const wanted = wantedBy(context, stored && (isList(stored) ? "cloud-events" : "cloud-event"));
  if (wanted === "snake") return { body: Object(inSnakeCase(body)), headers: as(SNAKE_CASE_TYPE) };
  if (wanted === "cloud-events" && isList(stored))
    return { body: stored.map(toCloudEvent), headers: as(CLOUD_EVENTS_TYPE) };
  if (wanted === "cloud-event" && stored !== undefined && !isList(stored))
    return { body: toCloudEvent(stored), headers: as(CLOUD_EVENT_TYPE) };
  return { body, headers: as("application/json") };
}

function isList(stored: StoredEvent | readonly StoredEvent[] | undefined): stored is readonly StoredEvent[] {
  return Array.isArray(stored);
}

/** The resources that are also answered in snake case, by their names in the OpenAPI document. */
export const REPRESENTED = [
  "Aggregate",
  "ClosedStream",
  "CommandResult",
  "EventPage",
  "EventProcessing",
  "EventStats",
  "EventType",
  "EventTypePage",
  "EventWithCaused",
  "ProcessingChange",
  "StreamAppended",
  "StreamPage",
  "Trace",
  "UnprocessedEvents",
] as const satisfies readonly (keyof typeof HTTP_RESOURCES)[];

/** A response about events, streams or aggregates, for the definition of a route: as the named component, the same in snake case, and as CloudEvents. */
export function representedResponse(
  description: string,
  component: (typeof REPRESENTED)[number],
  cloudEvents?: "one" | "many",
): Exclude<RouteConfig["responses"][number], { $ref: string }> {
  return {
    description,
    content: {
      "application/json": { schema: referTo(component) },
      [SNAKE_CASE_TYPE]: { schema: referTo(snakeCaseComponent(component)) },
      ...(cloudEvents === "one" && { [CLOUD_EVENT_TYPE]: { schema: referTo("CloudEvent") } }),
      ...(cloudEvents === "many" && {
        [CLOUD_EVENTS_TYPE]: { schema: { type: "array", items: referTo("CloudEvent") } },
      }),
    },
  };
}

function referTo(component: string) {
  return { $ref: `#/components/schemas/${component}` };
}
