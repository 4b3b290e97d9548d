import type { Broker } from "../broker.ts";
import { acceptEvents } from "../intake/accept-events.ts";
import { createBrokerEvent, SCHEDULED_TIMER } from "../lifecycle/lifecycle-events.ts";
import type { CronTrigger } from "./cron-schedule.ts";

const MINUTE = 60_000;

/**
 * Starts a function for one of its cron times, once for each time. A time that repeats because the wall clock was set back
 * counts as another one.
 */
export async function fireCron(broker: Broker, trigger: CronTrigger, scheduledAt: Date): Promise<void> {
  const config = broker.registry.get(trigger.functionId);
  if (config === undefined) return;
  const moment = scheduledAt.toISOString().replace(".000Z", "Z");
  const set = Math.round(broker.clock.aheadOfWall() / MINUTE);
  const event = createBrokerEvent(SCHEDULED_TIMER, set === 0 ? moment : `${moment}~${set}`, {
    cron: trigger.pattern,
    scheduledAt: moment,
    fireAt: moment,
  });
  await acceptEvents(broker, [], [{ config, event }]);
}
