import { ReadLimiter } from "@synap/database/internal";
import { tailHeaders, tailQuery } from "@synap/types/http";
import { counted } from "@synap/types/internal";
import type { z } from "zod";
import type { ApiApp, ApiContext, ApiDependencies } from "../../api-dependencies.ts";
import { Problem } from "../../problems/problem.ts";
import { toProblem } from "../../problems/to-problem.ts";
import { responseHeaders } from "../../response-headers.ts";
import { checkFilterNames } from "../named-filter.ts";
import { readQuery, requestHead } from "../route-registration.ts";
import { registerAdminRoute } from "./admin-route.ts";
import { tailStream } from "./tail-stream.ts";

/** Maximum number of events held for one client... */
const BATCH = 100;
/** ...and of bytes, apart from the event that reaches the limit. */
const BATCH_BYTES = 256 * 1024;

/** Maximum number of concurrent reads of all tails, which leaves the other connections to requests. */
const TAIL_READS = 2;

/** GET /api/v1/admin/events/tail */
export function tailEventsRoute(app: ApiApp, dependencies: ApiDependencies): void {
  const { watchCredential, reads, logger, closing, configuration } = dependencies;
  let open = 0;
  const readLimiter = new ReadLimiter(TAIL_READS);
  registerAdminRoute(
    app,
    {
      method: "get",
      path: "/api/v1/admin/events/tail",
      operationId: "tailEvents",
      summary: "Follow events as they are stored, as server-sent events",
      description:
        "An event has its position as `id` and itself as `data`; send the last id as Last-Event-ID to resume after it. " +
        "`progress` reports the position read up to and whether the tail has caught up, `problem` why it ends: also within 30 s of the end of " +
        "its token or the revocation of its key.",
      request: {
        query: tailQuery,
        headers: tailHeaders,
      },
      responses: {
        200: {
          description: "An endless stream.",
          content: { "text/event-stream": { schema: { type: "string" } } },
        },
      },
      problems: ["parameter-invalid", "filter-unknown", "credential-ended", "too-many-tails"],
    },
    async (context, { principal, scope }) => {
      const query = readQuery(context, tailQuery);
      await checkFilterNames(dependencies, query);
      const request = tailRequest(context, query);
      const requestId = context.get("requestId");
      const headers = responseHeaders(requestId, {
        "content-type": "text/event-stream; charset=utf-8",
        // Otherwise nginx would buffer events.
        "x-accel-buffering": "no",
      });
      if (context.req.method === "HEAD") return new Response(null, { status: 200, headers });
      const credential = watchCredential({ request: requestHead(context), principal, scope });
      if (open >= configuration.maxTails) throw tooManyTails(configuration.maxTails);
      open += 1;
      const onFault = (error: unknown) => {
        const problem = toProblem(error);
        const level = problem.status < 500 ? "info" : "warn";
        logger[level]({ requestId, err: problem.cause, code: problem.code }, "a tail has ended");
        return { document: problem.toDocument(requestId) };
      };
      const stream = tailStream(
        (signal) =>
          reads.subscribeToAll({
            ...request,
            batchSize: BATCH,
            maxBatchBytes: BATCH_BYTES,
            readLimiter,
            signal,
          }),
        {
          closing,
          credential,
          onFault,
          onEnd: () => {
            open -= 1;
          },
        },
      );
      return new Response(stream, { status: 200, headers });
    },
  );
}

/** Builds the problem of too many tails. Each tail takes the memory of a batch of events, and time at every append. */
function tooManyTails(limit: number): Problem {
  return new Problem(
    "too-many-tails",
    `${counted(limit, "tail is", "tails are")} open, the maximum of this API. Close one, or set SYNAP_MAX_TAILS higher.`,
    {
      retryAfterSeconds: 5,
      members: { limit },
    },
  );
}

function tailRequest(context: ApiContext, query: z.output<typeof tailQuery>) {
  const { from = "now", type, aggregateType, aggregateId } = query;
  const last = context.req.header("last-event-id");
  if (!tailHeaders.shape["last-event-id"].safeParse(last).success) {
    throw new Problem(
      "parameter-invalid",
      "Last-Event-ID must be a position: the id of an event of the tail.",
    );
  }
  if (aggregateId !== undefined && aggregateType === undefined) {
    throw new Problem("parameter-invalid", '"aggregateId" can only be given together with "aggregateType".');
  }
  const begin = last ?? from;
  return {
    from: begin === "now" || begin === "start" ? begin : Number(begin),
    ...(type !== undefined && { types: [type].flat() }),
    ...(aggregateType !== undefined &&
      (aggregateId === undefined ? { aggregateType } : { stream: { aggregateType, aggregateId } })),
  } as const;
}
