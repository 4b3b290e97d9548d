// Makes load, as its one argument says (a load plan as JSON), and reports its progress to its parent. It begins at a message.
import { setTimeout as sleep } from "node:timers/promises";
import { BatchMaker } from "./batch-maker.ts";
import { clock, type LoadMessage, type LoadPlan, loadPlanSchema, type SentBatch } from "./load-plan.ts";
import { BatchPoster, type BatchResponse } from "./post-batch.ts";

const PROGRESS_MS = 250;
/** Time after its end for which a load that is paced by answers resends unaccepted events. */
const LAST_ATTEMPTS_MS = 20_000;

const plan = loadPlanSchema.parse(JSON.parse(process.argv[2] ?? ""));
const maker = new BatchMaker(plan.batch);
const tally = { accepted: 0, shed: 0, shedWithoutRetryAfter: 0, failed: 0, unsent: 0 };
const batches: SentBatch[] = [];
let next = plan.first;

report({ kind: "ready" });
await new Promise((resolve) => process.once("message", resolve));
const progress = setInterval(() => report({ kind: "progress", tally }), PROGRESS_MS);
const began = performance.now();
const { pace } = plan;
if (pace.kind === "as fast as accepted") await sendAsAccepted(pace.connections);
else await sendByTheClock(pace);
clearInterval(progress);
report({ kind: "done", tally, batches });
process.disconnect();

async function sendAsAccepted(connections: number): Promise<void> {
  const poster = new BatchPoster(plan.apiUrl, { connections, timeoutMs: 60_000 });
  const end = began + plan.seconds * 1000;
  const send = async () => {
    while (performance.now() < end) {
      const number = next++;
      const body = maker.make(number);
      const sentAt = clock();
      const accepted = new Set<number>();
      for (;;) {
        const response = await poster.post(body);
        count(response, accepted);
        if (response.status < 300 && response.status > 0) {
          remember(number, sentAt, accepted, response);
          break;
        }
        if (performance.now() > end + LAST_ATTEMPTS_MS) {
          remember(number, sentAt, accepted, response);
          break;
        }
        await sleep((response.retryAfter ?? 1) * 1000);
      }
    }
  };
  await Promise.all(Array.from({ length: connections }, send));
  poster.close();
}

async function sendByTheClock({ batchesPerSecond, maxInFlight }: ClockPace): Promise<void> {
  const poster = new BatchPoster(plan.apiUrl, { connections: maxInFlight, timeoutMs: 15_000 });
  const underWay = new Set<Promise<void>>();
  const total = Math.round(plan.seconds * batchesPerSecond);
  for (let sent = 0; sent < total; sent += 1) {
    const wait = began + (sent * 1000) / batchesPerSecond - performance.now();
    if (wait > 0) await sleep(wait);
    if (underWay.size >= maxInFlight) {
      tally.unsent += 1;
      continue;
    }
    const number = next++;
    const sentAt = clock();
    const one = poster.post(maker.make(number)).then((response) => {
      const accepted = new Set<number>();
      count(response, accepted);
      remember(number, sentAt, accepted, response);
      underWay.delete(one);
    });
    underWay.add(one);
  }
  await Promise.all(underWay);
  poster.close();
}

type ClockPace = Extract<LoadPlan["pace"], { kind: "by the clock" }>;

function count(response: BatchResponse, accepted: Set<number>): void {
  const before = accepted.size;
  for (const index of response.accepted) accepted.add(index);
  tally.accepted += accepted.size - before;
  if (response.status === 503) {
    tally.shed += 1;
    if (response.retryAfter === undefined) tally.shedWithoutRetryAfter += 1;
  } else if (response.status >= 300 || response.status === 0) {
    tally.failed += 1;
    if (tally.failed === 1) process.stderr.write(`a batch failed: ${response.status} ${response.reason}\n`);
  }
}

function remember(number: number, sentAt: number, accepted: Set<number>, { status }: BatchResponse): void {
  const which = accepted.size === maker.size ? "all" : [...accepted];
  batches.push({ number, sentAt, answeredAt: clock(), accepted: which, status });
}

function report(message: LoadMessage): void {
  process.send?.(message);
}
