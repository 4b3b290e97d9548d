import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** Who a process is, precisely enough that another one which was later given the same pid is not mistaken for it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When the process started, in the operating system's own words. Undefined where the system does not tell. */
  readonly startToken?: string;
  /** The boot of the machine it runs on. Undefined where the system does not tell. */
  readonly boot?: string;
  readonly host: string;
}

/** "running": alive. "gone": ended, or its pid belongs to another process now. "elsewhere": on a machine that can't be asked from here. */
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

/** Whether the process that was identified earlier, perhaps by another process, still runs. */
export function stateOf(identity: ProcessIdentity): ProcessState {
  const boot = bootId();
  if (identity.host !== hostname() && (boot === undefined || boot !== identity.boot)) return "elsewhere";
  if (boot !== undefined && identity.boot !== undefined && boot !== identity.boot) return "gone";
  if (!pidExists(identity.pid)) return "gone";
  const startToken = startTokenOf(identity.pid);
  // Without a token on either side only the pid can be compared; refusing wrongly is better than two writers.
  if (startToken === undefined || identity.startToken === undefined) return "running";
  return startToken === identity.startToken ? "running" : "gone";
}

function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function startTokenOf(pid: number): string | undefined {
  if (process.platform === "linux") {
    const stat = readIfThere(`/proc/${pid}/stat`);
    // The second field is the program's name in brackets and may itself hold spaces and brackets: count from its end.
    const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie has ended and only waits for its parent to notice.
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
