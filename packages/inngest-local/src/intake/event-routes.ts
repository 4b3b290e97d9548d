import type { Context, Hono } from "hono";
import type { EventKeys } from "../signing/event-keys.ts";
import type { StandIn } from "../stand-in.ts";
import { internalIds } from "./event-ids.ts";
import { readEvents } from "./read-events.ts";
import { isListenedTo, takeIn } from "./take-in.ts";

/** Options of the event intake. */
export interface IntakeSettings {
  /** Undefined: any key will do. */
  readonly eventKeys: EventKeys | undefined;
  /** While true, nothing is taken in. */
  readonly isStopping: () => boolean;
  /** Called with the name of an event that no function listens to. */
  readonly onUnheard: (eventName: string) => void;
}

/** Longest wait of a sender for room before it is refused, in milliseconds: mostly there is some in a moment. */
const ROOM_TIMEOUT_MS = 1_000;
const RETRY_AFTER_SECONDS = 1;
const NO_ROOM = "More events wait for their functions than can be called soon; send them again later";

const TOO_MANY_UNHEARD =
  "No function listens to this, and as many such events as may wait for one do so already";

const NO_FUNCTIONS =
  "No app has registered functions with inngest-local yet, so the events would start nothing; send them again";

/** `POST /e/:key`: takes events in, once there is a function that one could start. */
export function addEventRoutes(app: Hono, standIn: StandIn, settings: IntakeSettings): void {
  app.post("/e/:key", async (context) => {
    if (settings.eventKeys !== undefined && !settings.eventKeys.admit(context.req.param("key"))) {
      return context.body(JSON.stringify({ status: 401, message: "", error: "Event key not found" }), 401);
    }
    if (settings.isStopping()) return answer(context, 503, [], "inngest-local is stopping");
    if (standIn.registry.all().length === 0) return answer(context, 503, [], NO_FUNCTIONS);
    // Holding the answer back slows the sender down to the pace of the functions; a refusal would have it ask in vain.
    if (!(await standIn.backlog.room(ROOM_TIMEOUT_MS))) {
      context.header("retry-after", String(RETRY_AFTER_SECONDS));
      return answer(context, 503, [], NO_ROOM);
    }
    const ids = internalIds(context.req.header("x-inngest-event-id-seed"));
    const { events, error } = readEvents(await context.req.text(), ids, standIn.clock.wall());
    const unheard = new Set(
      events.flatMap(({ event }) => (isListenedTo(standIn, event.name) ? [] : [event.name])),
    );
    if (unheard.size > 0 && !standIn.kept.hasRoom()) {
      return answer(context, 503, [], `${TOO_MANY_UNHEARD}: ${[...unheard].join(", ")}`);
    }
    try {
      await takeIn(standIn, events, [], true);
    } catch (cause) {
      standIn.logger.error({ error: cause }, "events could not be stored");
      return answer(context, 503, [], "The events could not be stored; send them again");
    }
    for (const name of unheard) settings.onUnheard(name);
    const accepted = events.map(({ internalId }) => internalId);
    return answer(context, error === undefined ? 200 : 400, accepted, error);
  });
}

/** The SDK reads the status from the body, and the type is the real server's. */
function answer(
  context: Context,
  status: 200 | 400 | 503,
  ids: readonly string[],
  error: string | undefined,
) {
  const body = { ids: ids.length === 0 ? [""] : ids, status, ...(error === undefined ? {} : { error }) };
  return context.body(`${JSON.stringify(body)}\n`, status, { "content-type": "text/plain; charset=utf-8" });
}
