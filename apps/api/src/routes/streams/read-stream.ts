import { DEFAULT_PAGE_SIZE, positionHeaders, streamPath, streamQuery } from "@synap/types/http";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { visibilityOf } from "../../identity/visibility.ts";
import { streamNotFound } from "../../problems/stream-not-found.ts";
import { readableBy } from "../../representations/current-versions.ts";
import { represent, representedResponse } from "../../representations/representation.ts";
import { versionTag } from "../expected-version.ts";
import { sendPage } from "../page-response.ts";
import { positionHeader, positionOfAnswer, readPoint, seenPosition } from "../read-position.ts";
import { type ApiRoute, problemResponses, readQuery, registerRoute } from "../route-registration.ts";
import { readStreamName } from "./stream-parameters.ts";

const route = {
  scope: "read",
  method: "get",
  path: "/api/v1/streams/{aggregateType}/{aggregateId}",
  operationId: "readStream",
  tags: ["streams"],
  summary: "Read a stream",
  description: "In the order of versions. The Link header has the next page.",
  request: { params: streamPath, query: streamQuery, headers: positionHeaders },
  responses: {
    200: {
      ...representedResponse(
        "One page of the stream. ETag is the stream's version, for If-Match.",
        "StreamPage",
        "many",
      ),
      headers: {
        ETag: { description: "The stream's version in quotes.", schema: { type: "string" } },
        Link: { description: 'rel="next"', schema: { type: "string" } },
        ...positionOfAnswer,
      },
    },
    ...problemResponses(
      "parameter-invalid",
      "position-lost",
      "events-archived",
      "parameter-unknown",
      "stream-not-found",
      "too-many-pages",
      "database-unavailable",
      "keys-unavailable",
      "visibility-unavailable",
    ),
  },
} satisfies ApiRoute;

/** GET /api/v1/streams/{aggregateType}/{aggregateId} */
export function readStreamRoute(app: ApiApp, dependencies: ApiDependencies): void {
  const { reads, pages, catalogue } = dependencies;
  registerRoute(app, route, async (context, principal) => {
    const stream = readStreamName(context);
    const query = readQuery(context, streamQuery);
    const at = readPoint(context);
    const reader = readableBy(reads.visibleTo(visibilityOf(principal), at), dependencies, principal);
    const { direction = "forwards" } = query;
    return sendPage(context, pages, async (maxPageBytes) => {
      const { events, nextVersion, info } = await reader.readStreamPage(stream, {
        fromVersion: query.fromVersion ?? 1,
        toVersion: query.toVersion,
        direction,
        pageSize: query.limit ?? DEFAULT_PAGE_SIZE,
        maxPageBytes,
      });
      if (info === undefined) throw streamNotFound(stream, catalogue);
      const rest = direction === "forwards" ? "fromVersion" : "toVersion";
      const headers = {
        ...versionTag(info.streamVersion),
        ...positionHeader(seenPosition(at, events)),
        ...(nextVersion !== undefined && nextLink(context.req.url, { [rest]: nextVersion })),
      };
      return represent(context, { stream, ...info, events }, headers, events);
    });
  });
}

/** Relative, because behind a proxy the API does not know its public address. */
function nextLink(url: string, rest: Readonly<Record<string, number>>): Record<string, string> {
  const target = new URL(url);
  for (const [name, value] of Object.entries(rest)) target.searchParams.set(name, String(value));
  return { link: `<${target.pathname}${target.search}>; rel="next"` };
}
