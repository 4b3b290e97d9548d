import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { runSynapCommand } from "../../src/processes/run-command.ts";

/** A load that goes on while what it sends to is killed. */
export interface LoadUnderFire {
  /** Lines that were answered so far, as the load's own state file says. */
  answered(): number;
  /** Resolves once as many lines were answered, or the load has ended. */
  reached(lines: number): Promise<void>;
  /** Kills the load itself with SIGKILL and runs it again, as a person would. */
  killAndRunAgain(): Promise<void>;
  /** Resolves with what the last run printed once all is sent. Rejects unless it exited 0. */
  finished(): Promise<string>;
  stop(): Promise<void>;
}

/** Runs the load command on a file in small requests, one or two at a time: there must be time to interrupt it. */
export function loadUnderFire(
  file: string,
  url: string,
  requests: { events: number; inFlight: number },
): LoadUnderFire {
  const pace = ["--batch", String(requests.events), "--in-flight", String(requests.inFlight)];
  const run = () => runSynapCommand(["load", file, "--url", url, ...pace, "--patience", "300"]);
  let command = run();
  const answered = () => {
    const path = `${file}.synap-load/state.json`;
    if (!existsSync(path)) return 0;
    const state: unknown = JSON.parse(readFileSync(path, "utf8"));
    return typeof state === "object" && state !== null && "line" in state ? Number(state.line) : 0;
  };
  return {
    answered,
    reached: async (lines) => {
      while (answered() < lines && command.child.exitCode === null) await sleep(10);
    },
    killAndRunAgain: async () => {
      command.child.kill("SIGKILL");
      await command.ended;
      const before = answered();
      command = run();
      // A load that has not reached the API yet gives up when nothing listens: the next kill is for one at work.
      while (answered() <= before && command.child.exitCode === null) await sleep(10);
    },
    finished: async () => {
      const code = await command.ended;
      if (code !== 0) throw new Error(`The load exited with ${code}:\n${command.output().slice(-2000)}`);
      return command.stdout();
    },
    stop: async () => {
      command.child.kill("SIGKILL");
      await command.ended;
    },
  };
}

/**
 * Ascending random numbers of lines, all in the first four fifths: between reaching one and the kill the load goes on,
 * and when several come together near the end, the last kill must still find it at work.
 */
export function randomMoments(count: number, lines: number): number[] {
  const moments = Array.from({ length: count }, () => Math.floor(lines * (0.02 + 0.78 * Math.random())));
  return moments.sort((a, b) => a - b);
}
