import type { SqlSession } from "@synap/database";
import {
  chainStatus,
  currentEpoch,
  deadLetterCounts,
  describeDifference,
  describeExposures,
  describeSharedResource,
  type Exposure,
  lowSharedResources,
  missingChunks,
  type RunningProcess,
  unfinishedErasures,
  unfinishedPurges,
} from "@synap/database/internal";
import { counted } from "@synap/types/internal";
import { INGEST_HANDLER } from "./accepted-events.ts";

/** A condition that an operator should look into, although the process works. */
export interface OperatingWarning {
  /** Stable, in kebab case. */
  readonly code:
    | "event-types-differ"
    | "accepted-events-not-stored"
    | "accepted-events-overdue"
    | "events-kept-in-broker"
    | "no-worker"
    | "log-exposed"
    | "chunks-missing"
    | "log-differs"
    | "store-restored"
    | "purge-unfinished"
    | "erasure-unfinished"
    | "server-resources-low";
  readonly detail: string;
}

/** Work that stays in the broker until an operator acts: events without a function, and failing failure handlers. */
export interface KeptInBroker {
  readonly unmatchedEvents: number;
  readonly failingHandlers: number;
}

/** Events of a sample of accepted ones that are neither stored nor a dead letter. */
export interface InTransit {
  readonly sampled: number;
  /** The id of the event that was accepted first. */
  readonly oldestId: string;
  /** Milliseconds since that event was accepted. */
  readonly oldestAgeMs: number;
}

/** Time that an accepted event may take until it is stored before a warning is raised, in milliseconds. */
const OVERDUE_MS = 60_000;

/**
 * Finds what threatens accepted events on their way into the store: processes with other event types, accepted events
 * kept as dead letters or in the broker, no running worker (for an API), rights by which other logins could damage the log,
 * damage that the log has taken, and shared resources of the server that are nearly used up.
 */
export async function operatingWarnings(
  session: SqlSession,
  others: readonly RunningProcess[],
  {
    needsWorker,
    synapCommand,
    exposures: findExposures,
    kept,
    inTransit,
  }: {
    readonly needsWorker: boolean;
    /** The command of the `synap` program, as an operator calls it. */
    readonly synapCommand: string;
    readonly exposures: () => Promise<readonly Exposure[]>;
    readonly kept?: KeptInBroker | undefined;
    readonly inTransit?: InTransit | undefined;
  },
): Promise<OperatingWarning[]> {
  const { open } = await deadLetterCounts(session, INGEST_HANDLER);
  const exposures = await findExposures();
  const low = await lowSharedResources(session);
  const differing = others.filter(({ difference }) => difference !== undefined);
  return [
    ...differing.map((one) => ({ code: "event-types-differ" as const, detail: describeDifference(one) })),
    ...(open > 0
      ? [
          {
            code: "accepted-events-not-stored" as const,
            detail:
              `${counted(open, "dead letter holds", "dead letters hold")} accepted events that are not stored: ` +
              `${synapCommand} dead-letters list --handler ${INGEST_HANDLER}`,
          },
        ]
      : []),
    ...keptWarnings(kept),
    ...overdueWarnings(inTransit),
    ...(needsWorker && !others.some(({ role }) => role === "worker")
      ? [{ code: "no-worker" as const, detail: "no worker runs: accepted events wait in the broker" }]
      : []),
    ...(exposures.length > 0 ? [{ code: "log-exposed" as const, detail: describeExposures(exposures) }] : []),
    ...(await damageWarnings(session, synapCommand)),
    ...(await epochWarnings(session, synapCommand)),
    ...(await purgeWarnings(session, synapCommand)),
    ...(await erasureWarnings(session, synapCommand)),
    ...low.map((one) => ({ code: "server-resources-low" as const, detail: describeSharedResource(one) })),
  ];
}

async function damageWarnings(session: SqlSession, synapCommand: string): Promise<OperatingWarning[]> {
  const [first, ...others] = await missingChunks(session);
  const { verified } = await chainStatus(session);
  return [
    ...(first === undefined
      ? []
      : [
          {
            code: "chunks-missing" as const,
            detail: `${counted(others.length + 1, "chunk of events was", "chunks of events were")} dropped, the first with ${counted(first.events, "event")} from ${first.from} to ${first.to}: restore a backup`,
          },
        ]),
    ...(verified === undefined || verified.faults === 0
      ? []
      : [
          {
            code: "log-differs" as const,
            detail: `at ${verified.at} the log differed from its hash chain in ${counted(verified.faults, "place")}: ${synapCommand} verify`,
          },
        ]),
  ];
}

async function epochWarnings(session: SqlSession, synapCommand: string): Promise<OperatingWarning[]> {
  const { number, begunAt, verifiedAt } = await currentEpoch(session);
  if (verifiedAt !== undefined) return [];
  const reason = "the database was restored, copied or promoted";
  const detail = `epoch ${number} has begun at ${begunAt} because ${reason}: ${synapCommand} verify --restored`;
  return [{ code: "store-restored", detail }];
}

async function purgeWarnings(session: SqlSession, synapCommand: string): Promise<OperatingWarning[]> {
  const { removing, inReadModels, projections } = await unfinishedPurges(session);
  const reasons = [
    ...(removing > 0 ? [`a purge was interrupted, or is under way: ${synapCommand} purge --continue`] : []),
    ...(inReadModels > 0 ? [`read models may still have purged events: ${projections.join(", ")}`] : []),
  ];
  return reasons.length === 0 ? [] : [{ code: "purge-unfinished", detail: reasons.join("; ") }];
}

async function erasureWarnings(session: SqlSession, synapCommand: string): Promise<OperatingWarning[]> {
  const unfinished = await unfinishedErasures(session);
  if (unfinished === 0) return [];
  const detail = `${counted(unfinished, "erasure of personal data is", "erasures of personal data are")} not finished: ${synapCommand} subjects erase --continue`;
  return [{ code: "erasure-unfinished", detail }];
}

function keptWarnings({ unmatchedEvents, failingHandlers }: KeptInBroker = NOTHING_KEPT): OperatingWarning[] {
  const reasons = [
    ...(unmatchedEvents > 0
      ? [
          `no registered function matches ${counted(unmatchedEvents, "event")}: start a worker, which registers its functions`,
        ]
      : []),
    ...(failingHandlers > 0
      ? [
          `${counted(failingHandlers, "failure handler fails and is", "failure handlers fail and are")} restarted every hour: see the broker's log for the reasons`,
        ]
      : []),
  ];
  return reasons.length === 0 ? [] : [{ code: "events-kept-in-broker", detail: reasons.join("; ") }];
}

function overdueWarnings(inTransit: InTransit | undefined): OperatingWarning[] {
  if (inTransit === undefined || inTransit.oldestAgeMs < OVERDUE_MS) return [];
  const { oldestId, oldestAgeMs, sampled } = inTransit;
  const seconds = Math.floor(oldestAgeMs / 1_000);
  const others = sampled > 1 ? `, as ${sampled - 1} more of a sample` : "";
  return [
    {
      code: "accepted-events-overdue",
      detail: `event ${oldestId} was accepted ${seconds} s ago and is neither stored nor a dead letter${others}: look at the runs of ${INGEST_HANDLER} in Inngest`,
    },
  ];
}

const NOTHING_KEPT: KeptInBroker = { unmatchedEvents: 0, failingHandlers: 0 };
