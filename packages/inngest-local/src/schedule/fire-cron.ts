import { takeIn } from "../intake/take-in.ts";
import { ownEvent, SCHEDULED_TIMER } from "../lifecycle/lifecycle-events.ts";
import type { StandIn } from "../stand-in.ts";
import type { CronTrigger } from "./cron-schedule.ts";

/** Starts a function for one of its cron times. The same time starts it once, however often it is fired. */
export async function fireCron(standIn: StandIn, trigger: CronTrigger, scheduledAt: Date): Promise<void> {
  const config = standIn.registry.get(trigger.functionId);
  if (config === undefined) return;
  const moment = scheduledAt.toISOString().replace(".000Z", "Z");
  const event = ownEvent(SCHEDULED_TIMER, moment, {
    cron: trigger.pattern,
    scheduledAt: moment,
    fireAt: moment,
  });
  await takeIn(standIn, [], [{ config, event }]);
}
