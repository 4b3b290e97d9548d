import { runSeparateProcess } from "./separate-process.ts";

/** A command that runs a part of Synap in its own process, instead of calling a running API. */
export interface Program {
  readonly name: string;
  readonly description: string;
  /** Loads the program, which reads its arguments from `process.argv` and runs. */
  run(): Promise<unknown>;
}

/** Programs by name. Each is loaded only when it is called, so that `synap status` starts without the store. */
export const PROGRAMS: readonly Program[] = [
  {
    name: "start",
    description: "all of Synap in one process, embedded unless DATABASE_URL is set",
    run: () => import("./start.ts"),
  },
  {
    name: "dev",
    description: "the same, restarted when a file of the application changes",
    run: () => import("./dev.ts"),
  },
  {
    name: "api",
    description: "the HTTP API alone",
    run: () => runSeparateProcess("api", "Runs the HTTP API alone.", () => import("@synap/api/main")),
  },
  {
    name: "worker",
    description: "the worker alone, which stores events and runs handlers",
    run: () =>
      runSeparateProcess(
        "worker",
        "Runs the worker alone, which stores events and runs handlers.",
        () => import("@synap/worker/main"),
      ),
  },
  {
    name: "inngest-local",
    description: "the local broker alone, in place of the Inngest server",
    run: () => import("./inngest-local.ts"),
  },
  {
    name: "migrate",
    description: "bring the schema at DATABASE_URL up to this release and the application",
    run: () => import("./migrate.ts"),
  },
  {
    name: "load",
    description: "send the events of an NDJSON file to the API",
    run: () => import("./load.ts"),
  },
  { name: "compress", description: "compress old events", run: () => import("./compress.ts") },
  {
    name: "envelope",
    description: "print the events of an envelope copied from Inngest's dashboard",
    run: () => import("./envelope.ts"),
  },
];

/** Finds the program of this name. */
export function findProgram(name: string): Program | undefined {
  return PROGRAMS.find((program) => program.name === name);
}
