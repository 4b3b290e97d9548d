import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** The identity of a process, precise enough to distinguish it from a later one with the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time of the process in the operating system's format. Undefined where it is not available. */
  readonly startToken?: string;
  /** Boot id of its machine. Undefined where it is not available. */
  readonly boot?: string;
  readonly host: string;
}

/** "running": alive. "gone": ended, or its pid was reused. "elsewhere": on another machine, where it can't be checked. */
export type ProcessState = "running" | "gone" | "elsewhere";

/** The identity of the process with this pid, by default the calling one. */
export function identifyProcess(pid: number = process.pid): ProcessIdentity {
  const startToken = startTokenOf(pid);
  const boot = bootId();
  return {
    pid,
    ...(startToken === undefined ? {} : { startToken }),
    ...(boot === undefined ? {} : { boot }),
    host: hostname(),
  };
}

/** The state of a process that was identified earlier, possibly by another process. */
export function stateOf(identity: ProcessIdentity): ProcessState {
  const boot = bootId();
  if (identity.host !== hostname() && (boot === undefined || boot !== identity.boot)) return "elsewhere";
  if (boot !== undefined && identity.boot !== undefined && boot !== identity.boot) return "gone";
  if (!pidExists(identity.pid)) return "gone";
  const startToken = startTokenOf(identity.pid);
  // Without a token on either side only the pid can be compared; a wrong refusal is better than two writers.
  if (startToken === undefined || identity.startToken === undefined) return "running";
  return startToken === identity.startToken ? "running" : "gone";
}

function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to another user.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function startTokenOf(pid: number): string | undefined {
  if (process.platform === "linux") {
    const stat = readIfThere(`/proc/${pid}/stat`);
    // The second field is the program's name in parentheses and may contain spaces and parentheses: count from its end.
    const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie has ended and only waits to be reaped.
    if (fields?.[0] === "Z") return "ended";
    return fields?.[19];
  }
  if (process.platform === "win32") return undefined;
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() || undefined;
  } catch {
    return undefined;
  }
}

function bootId(): string | undefined {
  return process.platform === "linux" ? readIfThere("/proc/sys/kernel/random/boot_id")?.trim() : undefined;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
