import type { Command } from "commander";

/** A command that runs a part of Synap in its own process, instead of calling a running API. */
export interface Program {
  readonly name: string;
  readonly description: string;
  /** Loads its command line, given the arguments that follow its name. */
  load(args: readonly string[]): Promise<Command>;
}

const API = "Runs the HTTP API alone.";
const WORKER = "Runs the worker alone, which stores events and runs handlers.";

/** Programs by name. Each is loaded only when it is called, so that `synap status` starts without the store. */
export const PROGRAMS: readonly Program[] = [
  {
    name: "start",
    description: "all of Synap in one process, embedded unless DATABASE_URL is set",
    load: async () => (await import("./start.ts")).startCommand(),
  },
  {
    name: "dev",
    description: "the same, restarted when a file of the application changes",
    load: async (args) => (await import("./dev.ts")).devCommand(args),
  },
  {
    name: "api",
    description: "the HTTP API alone",
    load: async () => {
      const { separateProcessCommand } = await import("./separate-process.ts");
      return separateProcessCommand("api", API, () => import("@synap/api/main"));
    },
  },
  {
    name: "worker",
    description: "the worker alone, which stores events and runs handlers",
    load: async () => {
      const { separateProcessCommand } = await import("./separate-process.ts");
      return separateProcessCommand("worker", WORKER, () => import("@synap/worker/main"));
    },
  },
  {
    name: "inngest-local",
    description: "the local broker alone, in place of the Inngest server",
    load: async () => (await import("./inngest-local.ts")).inngestLocalCommand(),
  },
  {
    name: "migrate",
    description: "bring the schema at DATABASE_URL up to this release and the application",
    load: async () => (await import("./migrate.ts")).migrateCommand(),
  },
  {
    name: "load",
    description: "send the events of an NDJSON file to the API",
    load: async () => (await import("./load.ts")).loadCommand(),
  },
  {
    name: "schemas",
    description: "keep the schemas of event types, and compare the code with them",
    load: async () => (await import("./schemas/schemas-command.ts")).schemasCommand(),
  },
  {
    name: "keys",
    description: "create, list and revoke API keys",
    load: async () => (await import("./keys.ts")).keysCommand(),
  },
  {
    name: "sessions",
    description: "list and end the sessions of those who have signed in",
    load: async () => (await import("./signing-in/sessions-command.ts")).sessionsCommand(),
  },
  {
    name: "compress",
    description: "compress old events",
    load: async () => (await import("./maintaining/compress.ts")).compressCommand(),
  },
  {
    name: "verify",
    description: "verify the log against its hash chain",
    load: async () => (await import("./maintaining/verify.ts")).verifyCommand(),
  },
  {
    name: "archive",
    description: "move old events into files, and back",
    load: async () => (await import("./archiving/archive-command.ts")).archiveCommand(),
  },
  {
    name: "retention",
    description: "keep the events of some types for a time only",
    load: async () => (await import("./maintaining/retention.ts")).retentionCommand(),
  },
  {
    name: "purge",
    description: "remove events from the log, where a law demands it",
    load: async () => (await import("./maintaining/purge.ts")).purgeCommand(),
  },
  {
    name: "subjects",
    description: "erase the personal data of a subject, or put it on hold",
    load: async () => (await import("./maintaining/subjects.ts")).subjectsCommand(),
  },
  {
    name: "envelope",
    description: "print the events of an envelope copied from Inngest's dashboard",
    load: async () => (await import("./envelope.ts")).envelopeCommand(),
  },
];

/** Finds the program of this name. */
export function findProgram(name: string): Program | undefined {
  return PROGRAMS.find((program) => program.name === name);
}
