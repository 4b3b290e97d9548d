import type { Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { StandIn } from "../stand-in.ts";
import { internalIds } from "./event-ids.ts";
import { readEvents } from "./read-events.ts";
import { takeIn } from "./take-in.ts";

/** How events are taken in. */
export interface IntakeSettings {
  /** Undefined: any key will do. */
  readonly eventKeys: readonly string[] | undefined;
  readonly maxRequestBytes: number;
  /** While true, nothing is taken in. */
  readonly isStopping: () => boolean;
  /** Told the name of an event that nothing was started by. */
  readonly onUnmatched: (eventName: string) => void;
}

const NO_FUNCTIONS =
  "No app has registered functions with inngest-local yet, so the events would start nothing; send them again";

/** `POST /e/:key`: takes events in, once there is a function that one could start. */
export function addEventRoutes(app: Hono, standIn: StandIn, settings: IntakeSettings): void {
  const tooLarge = bodyLimit({
    maxSize: settings.maxRequestBytes,
    onError: (context) => answer(context, 413, [], `Request body is over ${settings.maxRequestBytes} bytes`),
  });
  app.post("/e/:key", tooLarge, async (context) => {
    if (settings.eventKeys !== undefined && !settings.eventKeys.includes(context.req.param("key"))) {
      return context.body(JSON.stringify({ status: 401, message: "", error: "Event key not found" }), 401);
    }
    if (settings.isStopping()) return answer(context, 503, [], "inngest-local is stopping");
    if (standIn.registry.all().length === 0) return answer(context, 503, [], NO_FUNCTIONS);
    const ids = internalIds(context.req.header("x-inngest-event-id-seed"));
    const { events, error } = readEvents(await context.req.text(), ids, Date.now());
    try {
      await takeIn(standIn, events);
    } catch (cause) {
      standIn.logger.error({ error: cause }, "events could not be stored");
      return answer(context, 503, [], "The events could not be stored; send them again");
    }
    for (const { event } of events) {
      const wanted =
        standIn.registry.triggeredBy(event.name).length > 0 || standIn.waiters.isAwaited(event.name);
      if (!wanted) settings.onUnmatched(event.name);
    }
    const accepted = events.map(({ internalId }) => internalId);
    return answer(context, error === undefined ? 200 : 400, accepted, error);
  });
}

/** The SDK reads the status from the body, and the type is the real server's. */
function answer(
  context: Context,
  status: 200 | 400 | 413 | 503,
  ids: readonly string[],
  error: string | undefined,
) {
  const body = { ids: ids.length === 0 ? [""] : ids, status, ...(error === undefined ? {} : { error }) };
  return context.body(`${JSON.stringify(body)}\n`, status, { "content-type": "text/plain; charset=utf-8" });
}
