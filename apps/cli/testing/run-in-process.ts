import { EXIT } from "@synap/service/exit-codes";
import { vi } from "vitest";

/** The exit code of a command, and the lines that it printed, in the order of the calls. */
export interface InProcessRun {
  readonly code: unknown;
  readonly out: readonly string[];
  readonly errors: readonly string[];
  readonly all: readonly string[];
}

/** Runs a command in this process, and keeps what it prints and its exit code. */
export async function runInProcess(command: () => Promise<void>): Promise<InProcessRun> {
  const out: string[] = [];
  const errors: string[] = [];
  const all: string[] = [];
  const keepIn = (texts: string[]) => (text: unknown) => {
    const line = String(text).trimEnd();
    texts.push(line);
    all.push(line);
    return true;
  };
  const spies = [
    vi.spyOn(console, "log").mockImplementation(keepIn(out)),
    vi.spyOn(console, "error").mockImplementation(keepIn(errors)),
    vi.spyOn(process.stdout, "write").mockImplementation(keepIn(out)),
    vi.spyOn(process.stderr, "write").mockImplementation(keepIn(errors)),
  ];
  process.exitCode = undefined;
  const streams = [process.stdout, process.stderr];
  const listeners = streams.map((stream) => stream.listeners("error"));
  try {
    await command();
    return { code: process.exitCode ?? EXIT.done, out, errors, all };
  } finally {
    for (const spy of spies) spy.mockRestore();
    // Each command listens to the output of its own process.
    for (const [index, stream] of streams.entries())
      for (const listener of stream.listeners("error"))
        if (!listeners[index]?.includes(listener)) stream.off("error", listener as () => void);
  }
}
