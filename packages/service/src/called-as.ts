import { readFileSync } from "node:fs";
import { basename, delimiter, dirname } from "node:path";
import { readProperty } from "@synap/types/internal";

/** The commands by which Synap is called, for help texts and hints. */
export interface Caller {
  /** The command of `synap`, such as `npx synap`. */
  readonly synap: string;
  /** The command that runs all of Synap in one process. */
  readonly start: string;
  /** The command of a program, as it was typed if the program is the running one, with arguments. */
  command(program: string, args?: string): string;
}

/** The facts about a process from which its caller is found. */
export interface Surroundings {
  readonly variables: NodeJS.ProcessEnv;
  /** The path of the running program. */
  readonly path: string;
  /** True if it runs from the sources in Synap's repository, and not from an installed package. */
  readonly isRepository: boolean;
}

interface PackageManager {
  /** The command that runs a script of package.json. */
  run(script: string): string;
  /** Separates the arguments of a script from the command that runs it. */
  readonly separator: "" | " --";
  /** The command that runs a program of an installed package. */
  execute(program: string): string;
}

/** Programs of this repository that are no commands of `synap`. */
const REPOSITORY_PROGRAMS = ["bench", "demo", "performance", "stress"];

/**
 * Finds the commands by which a process was called. A package manager names itself and the script that it runs in environment
 * variables. Every process inherits them, so a script counts only if it calls Synap and nothing else.
 */
export function findCaller(surroundings: Surroundings): Caller {
  const { variables, isRepository } = surroundings;
  const manager = findManager(variables);
  const script = variables["npm_lifecycle_event"] ?? "";
  const words = scriptWords(variables, script);
  const isOurs = isRepository || words.includes("synap");
  const typed = (program: string) =>
    manager !== undefined && isOurs && words.includes(program)
      ? `${manager.run(script)}${manager.separator}`
      : undefined;
  const synap =
    (words.at(-1) === "synap" ? typed("synap") : undefined) ?? usualCommand(surroundings, manager);
  const command = (program: string, args = "") => {
    const untyped = REPOSITORY_PROGRAMS.includes(program)
      ? `npx -y pnpm@12 ${program}`
      : `${synap} ${program}`;
    const called = typed(program) ?? untyped;
    return args === "" ? called.replace(/ --$/, "") : `${called} ${args}`;
  };
  const isStart = typed("start") !== undefined;
  return { synap, start: isStart || !isRepository ? command("start") : "npm start", command };
}

function usualCommand(
  { variables, path, isRepository }: Surroundings,
  manager: PackageManager | undefined,
): string {
  if (isRepository) return "npx -y pnpm@12 synap";
  const folders = (variables["PATH"] ?? "").split(delimiter);
  if (manager === undefined && basename(path) === "synap" && folders.includes(dirname(path))) return "synap";
  return manager?.execute("synap") ?? "npx synap";
}

/** The names of the programs and arguments in a script of package.json; none if it calls several programs. */
function scriptWords(variables: NodeJS.ProcessEnv, script: string): string[] {
  const text = readScript(variables["npm_package_json"], script);
  if (text === undefined || /[&|;]/.test(text)) return [];
  return text.split(/\s+/).map((word) => basename(word).replace(/(?:-cli)?\.[cm]?[jt]s$/, ""));
}

function readScript(manifest: string | undefined, script: string): string | undefined {
  if (manifest === undefined) return undefined;
  try {
    const text = readProperty(readProperty(JSON.parse(readFileSync(manifest, "utf8")), "scripts"), script);
    return typeof text === "string" ? text : undefined;
  } catch {
    return undefined;
  }
}

function findManager(variables: NodeJS.ProcessEnv): PackageManager | undefined {
  const [, name, major] = /^(npm|pnpm|yarn|bun)\/(\d+)/.exec(variables["npm_config_user_agent"] ?? "") ?? [];
  switch (name) {
    case "npm":
      return {
        run: (script) => (script === "start" ? "npm start" : `npm run ${script}`),
        separator: " --",
        execute: (program) => `npx ${program}`,
      };
    case "pnpm": {
      const isFetched = /[\\/]_npx[\\/]/.test(variables["npm_execpath"] ?? "");
      const pnpm = isFetched ? `npx -y pnpm@${major}` : "pnpm";
      return {
        run: (script) => `${pnpm} ${script}`,
        separator: "",
        execute: (program) => `${pnpm} exec ${program}`,
      };
    }
    case "yarn":
      return { run: (script) => `yarn ${script}`, separator: "", execute: (program) => `yarn ${program}` };
    case "bun":
      return { run: (script) => `bun run ${script}`, separator: "", execute: (program) => `bunx ${program}` };
    default:
      return undefined;
  }
}

const caller = findCaller({
  variables: process.env,
  path: process.argv[1] ?? "",
  isRepository: import.meta.url.endsWith(".ts"),
});

/** The command of the `synap` program in messages and help texts. */
export const SYNAP_COMMAND = caller.synap;

/** The command that runs the whole of Synap in one process. */
export const START_COMMAND = caller.start;

/** The command of a program, as it was typed if the program is the running one, with arguments. */
export const commandOf = caller.command;
