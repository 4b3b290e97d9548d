import type { RetryDelays } from "./dispatch/retry-delay.ts";
import type { Backlog } from "./intake/backlog.ts";
import type { KeptWork } from "./intake/kept-work.ts";
import type { Logger } from "./options.ts";
import type { QueueDatabase } from "./queue/database.ts";
import type { DueJob } from "./queue/due-jobs.ts";
import type { EventBodyCache } from "./queue/event-body-cache.ts";
import type { Retention } from "./queue/prune.ts";
import type { QueueClock } from "./queue/queue-clock.ts";
import type { FunctionRegistry } from "./registration/function-registry.ts";

/** State and services shared by the parts of one running broker. */
export interface Broker {
  readonly database: QueueDatabase;
  readonly clock: QueueClock;
  readonly registry: FunctionRegistry;
  readonly bodies: EventBodyCache;
  readonly backlog: Backlog;
  readonly kept: KeptWork;
  readonly retention: Retention;
  readonly retryDelays: RetryDelays | undefined;
  /** Delay between the last attempt of a failure handler and its restart, in milliseconds. */
  readonly failureHandlerDelay: number;
  readonly logger: Logger;
  /** Wakes the dispatcher: now, or at `dueAt` by the queue's clock. */
  wake(dueAt?: number): void;
  /** Passes newly queued first calls to the dispatcher, which skips reading them from the queue if nothing is ahead. */
  offer(jobs: readonly DueJob[]): void;
  /** The ids of the running jobs. */
  runningJobs(): Iterable<number>;
}
