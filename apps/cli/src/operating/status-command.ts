import { isProblem, type Resource } from "@synap/client";
import { describeDifference, describeExposures, describeSharedResource } from "@synap/database/internal";
import { SYNAP_COMMAND } from "@synap/service/called-as";
import { count, counted } from "@synap/types/internal";
import { Command } from "commander";
import { age } from "../terminal/age.ts";
import { helpText } from "../terminal/help-text.ts";
import { duration } from "../terminal/numbers.ts";
import { cut, formatFields, formatTable, jsonText, plain } from "../terminal/table.ts";
import { apiUrl, type CommonOptions, connect, findToken } from "./connection.ts";

type Status = Resource<"Status"> | Resource<"AdminStatus">;

/** A handler in the status for operators. */
interface HandlerStatus {
  readonly name: string;
  readonly mode?: string | undefined;
  readonly lag?: number | undefined;
  readonly checkpoint?: number | undefined;
  readonly deadLetters?: number | undefined;
  readonly parkedEvents?: number | undefined;
  readonly retrying?: HandlerRetry | (HandlerRetry & { readonly reason: string }) | undefined;
}
type HandlerRetry = NonNullable<Resource<"Status">["handlers"][number]["retrying"]>;

/** `synap status` */
export const statusCommand = (): Command =>
  new Command("status")
    .description(
      "Shows the status of the store and of every handler. A token with the scope admin adds details.",
    )
    .addHelpText(
      "after",
      helpText({
        notes: [
          "LAG is the number of stored events that a handler has not read yet; inline handlers have none, because they run " +
            "as events are stored. WAITING are events that wait behind a dead letter of their stream, or for a retry. Below " +
            "the table: what failed, why, and when the next attempt is.",
        ],
        examples: [
          [`${SYNAP_COMMAND} status`],
          [`${SYNAP_COMMAND} status --json | jq '.handlers[] | select(.lag > 1000)'`],
        ],
      }),
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const api = connect(options);
      const show = (found: Status, handlers: readonly HandlerStatus[]) =>
        console.log(options.json ? jsonText(found, 2) : describeStatus(found, handlers, apiUrl(options)));
      if (findToken(options).token !== undefined) {
        const found = await api.admin.status().catch((error: unknown) => {
          if (!isProblem(error, "scope-missing")) throw error;
        });
        if (found !== undefined) return show(found, found.handlers);
      }
      const found = await api.status();
      show(
        found,
        found.handlers.map(({ name, lag, checkpoint, retrying }) => ({ name, lag, checkpoint, retrying })),
      );
    });

function describeStatus(found: Status, handlers: readonly HandlerStatus[], url: string): string {
  const {
    events,
    deadLetters,
    publisher,
    timescaledb,
    connections,
    lockHolders = [],
    exposures = [],
    sharedResources = [],
  } = found;
  const newest = events.lastRecordedAt === undefined ? "" : `, the newest ${age(events.lastRecordedAt)}`;
  const fields = formatFields([
    ["Synap", `${found.release} at ${url}`],
    ["store", `${found.engine}, PostgreSQL ${found.postgresql}, TimescaleDB ${timescaledb.version}`],
    ["events", `${count(events.stored)} in ${counted(events.streams, "stream")}${newest}`],
    ["last position", String(events.lastPosition)],
    ["watermark", describeWatermark(events)],
    [
      "dead letters",
      deadLetters === 0 ? "none" : `${count(deadLetters)} open: ${SYNAP_COMMAND} dead-letters list`,
    ],
    ["not stored", describeNotStored(found.notStored)],
    ...describeKept(found.keptInBroker),
    ...describeInTransit(found.inTransit),
    ["workers", describeWorkers(found.processes)],
    ["event types", describeDifferences(found.processes)],
    ["queued", `${counted(publisher.queuedEvents, "event waits", "events wait")} for the broker`],
    ["hash chain", describeChain(found)],
    ...(found.epoch.number === 1 ? [] : [["epoch", describeEpoch(found.epoch)] as const]),
    ["database", `${(found.databaseSize / 1024 / 1024).toFixed(1)} MiB`],
    ...(connections.length === 0 ? [] : [["connections", describeConnections(connections)] as const]),
    ...(lockHolders.length === 0 ? [] : [["locks", lockHolders.map(describeLockHolder).join("\n")] as const]),
    ...(exposures.length === 0 ? [] : [["exposed", plain(describeExposures(exposures))] as const]),
    ...sharedResources.map((one) => ["nearly full", plain(describeSharedResource(one))] as const),
  ]);
  const rows = handlers.map(({ name, mode, lag, checkpoint, deadLetters: open, parkedEvents }) => [
    name,
    mode ?? "",
    lag === undefined ? "" : count(lag),
    checkpoint === undefined ? "" : String(checkpoint),
    open === undefined ? "" : count(open),
    parkedEvents === undefined ? "" : count(parkedEvents),
  ]);
  const table = formatTable(
    [
      { title: "HANDLER" },
      { title: "MODE" },
      { title: "LAG", align: "right" },
      { title: "CHECKPOINT", align: "right" },
      { title: "DEAD LETTERS", align: "right" },
      { title: "WAITING", align: "right" },
    ],
    rows,
  );
  const failures = [
    ...handlers.flatMap(describeRetry),
    ...(found.unhandledFailures ?? []).map(describeUnhandled),
  ];
  return [`${fields}\n\n${table}`, ...(failures.length === 0 ? [] : [failures.join("\n")])].join("\n\n");
}

/** Describes unhandled failures of promises and callbacks that a handler did not await. */
function describeUnhandled(failure: NonNullable<Status["unhandledFailures"]>[number]): string {
  const { handler, failures, eventId, code, reason, lastFailedAt } = failure;
  const what = failure.kind === "rejection" ? "a promise that nothing awaited" : "a timer or listener";
  const event = eventId === undefined ? "" : ` of event ${plain(eventId)}`;
  const times = failures === 1 ? "once" : counted(failures, "time");
  return (
    `${plain(handler ?? "unknown code")} failed outside of its calls ${times} in the last day, last ${age(lastFailedAt)} ` +
    `in ${what}${event}\n  ${cut(plain(reason ?? code), 200)}`
  );
}

/** Describes the pending retry of a handler. The reason is shown to those with the scope admin. */
function describeRetry({ name, retrying }: HandlerStatus): string[] {
  if (retrying === undefined) return [];
  const { waiting, streams, eventId, attempts, code, reason, nextAttemptAt } = retrying;
  const what =
    waiting === "handler"
      ? "waits"
      : `goes on, but for ${counted(streams, "stream that waits", "streams that wait")}`;
  const event = eventId === undefined ? "" : ` on event ${plain(eventId)}`;
  const why = cut(plain(typeof reason === "string" ? reason : code), 200);
  return [
    `${plain(name)} ${what}: attempt ${count(attempts)}${event} failed, the next is at ${nextAttemptAt}\n  ${why}`,
  ];
}

function describeChain({ chain, missingChunks = [], archived }: Status): string {
  const { block, lag, verified } = chain;
  const behind = lag === 0 ? "" : `, ${counted(lag, "event is", "events are")} not in it yet`;
  const checked =
    verified === undefined
      ? `not verified: ${SYNAP_COMMAND} verify`
      : `verified ${age(verified.at)}, ${verified.faults === 0 ? "without a fault" : counted(verified.faults, "fault")}`;
  const missing = missingChunks.map(
    ({ chunk, events, from, to }) =>
      `the chunk ${plain(chunk)} with ${counted(events, "event")} from ${from} to ${to} was dropped`,
  );
  const elsewhere =
    archived === undefined
      ? []
      : [
          `${counted(archived.events, "event")} of ${counted(archived.chunks, "chunk")} archived: ${SYNAP_COMMAND} archive list`,
        ];
  return [`${counted(block, "block")}${behind}; ${checked}`, ...elsewhere, ...missing].join("\n");
}

function describeEpoch({ number, begunAt, verifiedAt }: Status["epoch"]): string {
  const checked =
    verifiedAt === undefined
      ? `not verified: ${SYNAP_COMMAND} verify --restored`
      : `verified ${age(verifiedAt)}`;
  return `${number}, since the store was restored, copied or promoted ${age(begunAt)}; ${checked}`;
}

function describeNotStored({ open, skipped }: Status["notStored"]): string {
  if (open === 0)
    return skipped === 0
      ? "nothing"
      : `${counted(skipped, "accepted event was", "accepted events were")} skipped`;
  const also = skipped === 0 ? "" : ` (and ${count(skipped)} skipped)`;
  return `${count(open)} open${also}: ${SYNAP_COMMAND} dead-letters list --handler ingest-events`;
}

/** Formats the events and runs that the broker keeps until an operator acts. */
function describeKept(kept: Status["keptInBroker"]): (readonly [string, string])[] {
  const { unmatchedEvents = 0, failingHandlers = 0 } = kept ?? {};
  return [
    ...(unmatchedEvents > 0
      ? [
          [
            "unmatched",
            `no registered function matches ${counted(unmatchedEvents, "event")} in the broker`,
          ] as const,
        ]
      : []),
    ...(failingHandlers > 0
      ? [
          [
            "failing",
            counted(
              failingHandlers,
              "failure handler in the broker fails and is restarted",
              "failure handlers in the broker fail and are restarted",
            ),
          ] as const,
        ]
      : []),
  ];
}

/** Describes events in transit for more than several seconds; younger ones are ordinary pipeline work. */
function describeInTransit(inTransit: Status["inTransit"]): (readonly [string, string])[] {
  if (inTransit === undefined || inTransit.oldestAgeMs < 10_000) return [];
  const { oldestId, oldestAgeMs } = inTransit;
  const seconds = Math.floor(oldestAgeMs / 1_000);
  return [
    ["in transit", `event ${plain(oldestId)} was accepted ${count(seconds)} s ago and is not stored yet`],
  ];
}

function describeWorkers(processes: Status["processes"]): string {
  const workers = processes.filter(({ role }) => role === "worker");
  return workers.length === 0 ? "none runs: accepted events wait in the broker" : count(workers.length);
}

/** One line for each process whose event types differ from those of the API that answered. */
function describeDifferences(processes: Status["processes"]): string {
  const differing = processes.filter(({ difference }) => difference !== undefined);
  if (differing.length === 0) return "the same in all running processes";
  return differing.map((process) => plain(describeDifference(process))).join("\n");
}

function describeWatermark({ watermark, watermarkHolder: holder, foreignLocks = [] }: Status["events"]) {
  const strangers = foreignLocks.map(
    ({ pid, login, locks }) =>
      `login ${plain(login)} (database process ${pid}) holds ${count(locks)} of the store's advisory locks, without effect`,
  );
  return [describeHolder(watermark, holder), ...strangers].join("\n");
}

function describeConnections(connections: Status["connections"]): string {
  return connections
    .map(({ purpose, max, busy, waiting }) => {
      const queue = waiting === 0 ? "" : `, ${counted(waiting, "waits", "wait")} for one`;
      return `${count(busy)} of ${count(max)} busy with ${purpose === "all" ? "reads and writes" : purpose}${queue}`;
    })
    .join("\n");
}

function describeLockHolder(holder: NonNullable<Status["lockHolders"]>[number]): string {
  const { pid, login, applicationName, query, state, ageMs, waiting } = holder;
  const statement = query === undefined ? "" : `: ${cut(plain(query), 60)}`;
  const who = `database process ${pid} (${plain(applicationName)}) of login ${plain(login)}`;
  return `${counted(waiting, "session waits", "sessions wait")} for ${who}, its transaction is ${duration(ageMs)} old\n${state}${statement}`;
}

function describeHolder(watermark: number, holder: Status["events"]["watermarkHolder"]): string {
  if (holder === undefined) return String(watermark);
  const statement = holder.query === undefined ? "" : `: ${cut(plain(holder.query), 60)}`;
  const who = `database process ${holder.pid} of login ${plain(holder.login)}`;
  return `${watermark}, held back for ${duration(holder.ageMs)} by ${who}\n${holder.state}${statement}`;
}
