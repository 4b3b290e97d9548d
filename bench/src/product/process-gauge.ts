import { readFileSync } from "node:fs";

/** Linux counts a process's time in hundredths of a second, on every architecture that Node.js runs on. */
const TICKS_A_SECOND = 100;
const MIB = 1024 * 1024;

/** Resources that a process uses at one moment. */
export interface ProcessReading {
  /** Memory that it has resident, in MiB. */
  readonly residentMib: number;
  /** Processor time since its start, all threads together, in seconds. */
  readonly cpuSeconds: number;
}

/** Reads /proc; undefined where there is none, or the process is gone. */
export function readProcess(pid: number): ProcessReading | undefined {
  try {
    const [, resident = ""] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    // The name of the program, which may hold spaces, ends with the last parenthesis; user and system time follow.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return {
      residentMib: (Number(resident) * 1024) / MIB,
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND,
    };
  } catch {
    return undefined;
  }
}
