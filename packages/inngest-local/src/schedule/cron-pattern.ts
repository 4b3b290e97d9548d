import { Cron } from "croner";

/** An invalid cron pattern. */
class CronError extends Error {
  readonly code = "CRON_INVALID";
  override readonly name = "CronError";
}

/**
 * Parses a cron pattern: five fields, optionally after `TZ=Area/City `, in UTC otherwise. Six fields begin with
 * seconds, which the Inngest server doesn't support.
 *
 * @throws CronError
 */
export function parseCron(text: string): Cron {
  const [, zone = "UTC", pattern = ""] = /^(?:TZ=(\S+)\s+)?(.*)$/s.exec(text.trim()) ?? [];
  try {
    const cron = new Cron(pattern.trim(), { timezone: zone, paused: true, mode: "5-or-6-parts" });
    cron.nextRun();
    return cron;
  } catch (cause) {
    throw new CronError(
      `not a cron pattern: ${text} (${cause instanceof Error ? cause.message : String(cause)})`,
      {
        cause,
      },
    );
  }
}
