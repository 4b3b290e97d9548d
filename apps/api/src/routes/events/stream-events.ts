import { ReadLimiter } from "@synap/database/internal";
import { streamEventsHeaders, streamEventsQuery } from "@synap/types/http";
import type { z } from "zod";
import type { ApiApp, ApiContext, ApiDependencies } from "../../api-dependencies.ts";
import { visibilityOf } from "../../identity/visibility.ts";
import { headerProblem } from "../../problems/header-problem.ts";
import { Problem } from "../../problems/problem.ts";
import { toProblem } from "../../problems/to-problem.ts";
import { readableBy } from "../../representations/current-versions.ts";
import { requestHead } from "../../request-head.ts";
import { responseHeaders } from "../../response-headers.ts";
import { checkFilterNames } from "../named-filter.ts";
import { type ApiRoute, problemResponses, readQuery, registerRoute } from "../route-registration.ts";
import { OpenTails } from "./open-tails.ts";
import { tailStream } from "./tail-stream.ts";

/** Maximum number of events held for one client... */
const BATCH = 100;
/** ...and of bytes, apart from the event that reaches the limit. */
const BATCH_BYTES = 256 * 1024;

/** Maximum number of concurrent reads of all tails, which leaves the other connections to requests. */
const TAIL_READS = 2;

const route = {
  scope: "read",
  method: "get",
  path: "/api/v1/events/stream",
  operationId: "streamEvents",
  tags: ["events"],
  summary: "Follow events as they are stored, as server-sent events",
  description:
    "An event frame has the event's position as `id` and a StreamedEvent as `data`; send the last id as Last-Event-ID to resume " +
    "after it. `progress` frames have StreamProgress: the first frame says where the stream begins, later ones the position read up " +
    "to. A frame accounts for all positions after `after` up to its `id`. `problem` has the problem that ends the stream: also within " +
    "30 s of the end of its token or the revocation of its key.",
  request: { query: streamEventsQuery, headers: streamEventsHeaders },
  responses: {
    200: {
      description: "An endless stream.",
      content: { "text/event-stream": { schema: { type: "string" } } },
    },
    ...problemResponses(
      "parameter-invalid",
      "parameter-unknown",
      "filter-unknown",
      "credential-ended",
      "position-lost",
      "events-archived",
      "too-many-tails",
      "database-unavailable",
      "keys-unavailable",
      "visibility-unavailable",
    ),
  },
} satisfies ApiRoute;

/** GET /api/v1/events/stream */
export function streamEventsRoute(app: ApiApp, dependencies: ApiDependencies): void {
  const { watchCredential, reads, logger, closing, configuration } = dependencies;
  const tails = new OpenTails(configuration);
  const readLimiter = new ReadLimiter(TAIL_READS);
  registerRoute(app, route, async (context, principal) => {
    const query = readQuery(context, streamEventsQuery);
    const visibility = visibilityOf(principal);
    const reader = readableBy(reads.visibleTo(visibility), dependencies, principal);
    const request = tailRequest(context, query);
    await checkFilterNames(dependencies, query, "all" in visibility ? undefined : reader);
    const requestId = context.get("requestId");
    const headers = responseHeaders(requestId, {
      "content-type": "text/event-stream; charset=utf-8",
      // Otherwise nginx would buffer events.
      "x-accel-buffering": "no",
    });
    if (context.req.method === "HEAD") return new Response(null, { status: 200, headers });
    const credential = watchCredential({ request: requestHead(context), principal, scope: route.scope });
    const onEnd = tails.open(principal);
    const onFault = (error: unknown) => {
      const problem = toProblem(error);
      const level = problem.status < 500 ? "info" : "warn";
      logger[level]({ requestId, err: problem.cause, code: problem.code }, "a tail has ended");
      return { document: problem.toDocument(requestId) };
    };
    const stream = tailStream(
      (signal) =>
        reader.subscribeToAll({
          ...request,
          batchSize: BATCH,
          maxBatchBytes: BATCH_BYTES,
          readLimiter,
          signal,
        }),
      { closing, credential, onFault, onEnd },
    );
    return new Response(stream, { status: 200, headers });
  });
}

function tailRequest(context: ApiContext, query: z.output<typeof streamEventsQuery>) {
  const { from = "now", type, aggregateType, aggregateId, ...origin } = query;
  const last = context.req.header("last-event-id");
  if (!streamEventsHeaders.shape["last-event-id"].safeParse(last).success)
    throw headerProblem("Last-Event-ID", "must be a position: the id of a frame of the stream");
  if (aggregateId !== undefined && aggregateType === undefined) {
    const reason = 'can only be given together with "aggregateType"';
    throw new Problem("parameter-invalid", `"aggregateId" ${reason}.`, {
      errors: [{ path: "aggregateId", code: "parameter-invalid", reason }],
    });
  }
  const begin = last ?? from;
  return {
    ...origin,
    from: begin === "now" || begin === "start" ? begin : Number(begin),
    ...(type !== undefined && { types: [type].flat() }),
    ...(aggregateType !== undefined &&
      (aggregateId === undefined ? { aggregateType } : { stream: { aggregateType, aggregateId } })),
  } as const;
}
