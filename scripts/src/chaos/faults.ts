import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProcessName, SeparateProcesses } from "../processes/separate-processes.ts";
import type { TcpProxy } from "../processes/tcp-proxy.ts";
import type { TimescaledbServer } from "../processes/timescaledb-server.ts";
import type { Random } from "../stress/random.ts";

/** Everything that a fault can break. */
export interface FaultTargets {
  readonly processes: SeparateProcesses;
  /** Between every process and the database. */
  readonly databaseProxy: TcpProxy;
  /** Between the broker and the workers. */
  readonly workerProxy: TcpProxy;
  /** Undefined when the run may not break the database server. */
  readonly server: TimescaledbServer | undefined;
  /** The file that holds the offset of a process's wall clock, in milliseconds. */
  readonly clockFile: (name: ProcessName) => string;
}

/** One kind of fault. */
export interface Fault {
  readonly name: string;
  /** Relative frequency among the faults. */
  readonly share: number;
  /** It breaks the database server itself, and so needs one of the run's own. */
  readonly needsServer?: boolean;
  /** Breaks something, waits, and repairs it. Resolves with a description of what was broken. */
  readonly run: (targets: FaultTargets, random: Random) => Promise<string>;
}

const HOUR_MS = 3_600_000;
const CLOCK_STEPS_MS = [
  -14 * 24 * HOUR_MS,
  -3 * HOUR_MS,
  -90_000,
  90_000,
  3 * HOUR_MS,
  14 * 24 * HOUR_MS,
] as const;

export const FAULTS: readonly [Fault, ...Fault[]] = [
  { name: "kill a process", share: 25, run: killProcess },
  { name: "freeze a process", share: 12, run: freezeProcess },
  { name: "kill PostgreSQL", share: 8, needsServer: true, run: killServer },
  { name: "fill the disk", share: 8, needsServer: true, run: fillDisk },
  { name: "stall the database", share: 12, run: stallDatabase },
  { name: "drop database connections", share: 10, run: dropDatabaseConnections },
  { name: "refuse database connections", share: 8, run: refuseDatabaseConnections },
  { name: "stall calls to the workers", share: 5, run: stallWorkers },
  { name: "drop calls to the workers", share: 5, run: dropWorkerConnections },
  { name: "move a clock", share: 7, run: moveClock },
];

async function killProcess({ processes }: FaultTargets, random: Random): Promise<string> {
  const name = pickProcess(processes, random);
  await processes.kill(name);
  await wait(random, 1_500);
  processes.run(name);
  return name;
}

async function freezeProcess({ processes }: FaultTargets, random: Random): Promise<string> {
  const name = pickProcess(processes, random);
  processes.freeze(name);
  await wait(random, 4_000);
  processes.resume(name);
  return name;
}

async function killServer({ server }: FaultTargets, random: Random): Promise<string> {
  await server?.kill();
  await wait(random, 1_500);
  await server?.recover();
  return "";
}

async function fillDisk({ server }: FaultTargets, random: Random): Promise<string> {
  await server?.fillDisk();
  await wait(random, 4_000);
  const answered = await server?.responses();
  await server?.freeDisk();
  await server?.recover();
  return answered === true ? "the server stayed" : "the server ended";
}

async function stallDatabase({ databaseProxy }: FaultTargets, random: Random): Promise<string> {
  databaseProxy.setMode("stall");
  await wait(random, 4_000);
  databaseProxy.setMode("pass");
  return "";
}

async function dropDatabaseConnections({ databaseProxy }: FaultTargets): Promise<string> {
  databaseProxy.drop();
  return "";
}

async function refuseDatabaseConnections({ databaseProxy }: FaultTargets, random: Random): Promise<string> {
  databaseProxy.setMode("refuse");
  await wait(random, 3_000);
  databaseProxy.setMode("pass");
  return "";
}

async function stallWorkers({ workerProxy }: FaultTargets, random: Random): Promise<string> {
  workerProxy.setMode("stall");
  await wait(random, 3_000);
  workerProxy.setMode("pass");
  return "";
}

async function dropWorkerConnections({ workerProxy }: FaultTargets): Promise<string> {
  workerProxy.drop();
  return "";
}

async function moveClock({ processes, clockFile }: FaultTargets, random: Random): Promise<string> {
  const name = pickProcess(processes, random);
  const offset = random.pick(CLOCK_STEPS_MS);
  writeFileSync(clockFile(name), String(offset));
  await wait(random, 5_000);
  writeFileSync(clockFile(name), "0");
  return `${name} by ${offset > 0 ? "+" : ""}${offset / HOUR_MS} h`;
}

function pickProcess({ names }: SeparateProcesses, random: Random): ProcessName {
  return names[random.whole(0, names.length - 1)] ?? "api";
}

/** A fifth of the longest time up to all of it. */
async function wait(random: Random, longestMs: number): Promise<void> {
  await sleep(longestMs * (0.2 + 0.8 * random.next()));
}
