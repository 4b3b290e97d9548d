import { takeIn } from "../intake/take-in.ts";
import { ownEvent, SCHEDULED_TIMER } from "../lifecycle/lifecycle-events.ts";
import type { StandIn } from "../stand-in.ts";
import type { CronTrigger } from "./cron-schedule.ts";

const MINUTE = 60_000;

/**
 * Starts a function for one of its cron times. The same time starts it once, however often it is fired, unless the wall
 * clock was set in between: a time that comes again on a clock that was set back is another one.
 */
export async function fireCron(standIn: StandIn, trigger: CronTrigger, scheduledAt: Date): Promise<void> {
  const config = standIn.registry.get(trigger.functionId);
  if (config === undefined) return;
  const moment = scheduledAt.toISOString().replace(".000Z", "Z");
  const set = Math.round(standIn.clock.aheadOfWall() / MINUTE);
  const event = ownEvent(SCHEDULED_TIMER, set === 0 ? moment : `${moment}~${set}`, {
    cron: trigger.pattern,
    scheduledAt: moment,
    fireAt: moment,
  });
  await takeIn(standIn, [], [{ config, event }]);
}
