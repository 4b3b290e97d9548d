import type { Context, Hono } from "hono";
import type { Broker } from "../broker.ts";
import type { EventKeys } from "../signing/event-keys.ts";
import { acceptEvents, hasMatchingFunction } from "./accept-events.ts";
import { internalIds } from "./event-ids.ts";
import { readEvents } from "./read-events.ts";

/** Options of the event intake. */
export interface IntakeSettings {
  /** Undefined: any key is accepted. */
  readonly eventKeys: EventKeys | undefined;
  /** While true, all events are refused. */
  readonly isStopping: () => boolean;
  /** Called with the name of an event that matches no function. */
  readonly onUnmatched: (eventName: string) => void;
}

/** Maximum wait of a sender for capacity, in milliseconds. Usually there is some within that time. */
const CAPACITY_TIMEOUT_MS = 1_000;
const RETRY_AFTER_SECONDS = 1;
const NO_CAPACITY = "Too many events wait for their functions; send them again later";

const TOO_MANY_UNMATCHED =
  "No registered function matches these events, and the limit of such events is reached; register a function for them";

const NO_FUNCTIONS =
  "No app has registered functions with inngest-local yet, so the events would start nothing; send them again";

/** `POST /e/:key`: accepts events, once a function is registered. */
export function addEventRoutes(app: Hono, broker: Broker, settings: IntakeSettings): void {
  app.post("/e/:key", async (context) => {
    if (settings.eventKeys !== undefined && !settings.eventKeys.admit(context.req.param("key"))) {
      return context.body(JSON.stringify({ status: 401, message: "", error: "Event key not found" }), 401);
    }
    if (settings.isStopping()) return answer(context, 503, [], "inngest-local is stopping");
    if (broker.registry.all().length === 0) return answer(context, 503, [], NO_FUNCTIONS);
    // Delaying the response slows the sender down to the pace of the functions; a refusal would make it retry in vain.
    if (!(await broker.backlog.waitForCapacity(CAPACITY_TIMEOUT_MS))) {
      context.header("retry-after", String(RETRY_AFTER_SECONDS));
      return answer(context, 503, [], NO_CAPACITY);
    }
    const ids = internalIds(context.req.header("x-inngest-event-id-seed"));
    const { events, error } = readEvents(await context.req.text(), ids, broker.clock.wall());
    const unmatched = new Set(
      events.flatMap(({ event }) => (hasMatchingFunction(broker, event.name) ? [] : [event.name])),
    );
    if (unmatched.size > 0 && !broker.kept.hasRoom()) {
      return answer(context, 503, [], `${TOO_MANY_UNMATCHED}: ${[...unmatched].join(", ")}`);
    }
    try {
      await acceptEvents(broker, events, [], true);
    } catch (cause) {
      broker.logger.error({ error: cause }, "events could not be stored");
      return answer(context, 503, [], "The events could not be stored; send them again");
    }
    for (const name of unmatched) settings.onUnmatched(name);
    const accepted = events.map(({ internalId }) => internalId);
    return answer(context, error === undefined ? 200 : 400, accepted, error);
  });
}

/** Answers as the Inngest server does: the SDK reads the status from the body. */
function answer(
  context: Context,
  status: 200 | 400 | 503,
  ids: readonly string[],
  error: string | undefined,
) {
  const body = { ids: ids.length === 0 ? [""] : ids, status, ...(error === undefined ? {} : { error }) };
  return context.body(`${JSON.stringify(body)}\n`, status, { "content-type": "text/plain; charset=utf-8" });
}
