import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { createProgram } from "@synap/cli/operating/run-cli.ts";
import { PROGRAMS } from "@synap/cli/programs.ts";
import { EXIT } from "@synap/service/exit-codes";
import { describe, expect, it } from "vitest";
import { root } from "./docs/documentation.ts";
import { handBrokenLines } from "./processes/hand-broken-lines.ts";

const SYNAP = "apps/cli/src/synap-cli.ts";
/** A database server at which nothing listens. */
const NOWHERE = "postgres://127.0.0.1:1/none";

/** Programs of the repository that are no commands of `synap`. */
const scripts = [
  ["demo", "scripts/src/demo.ts"],
  ["stress", "scripts/src/stress.ts"],
  ["performance", "scripts/test-event-store-performance.ts"],
  ["bench", "bench/src/bench.ts"],
] as const;

/** Every command of `synap`, by the words that call it. */
const commands = [
  ...PROGRAMS.map(({ name }) => name),
  ...createProgram().commands.map((each) => each.name()),
];

const programs: readonly (readonly [string, readonly string[]])[] = [
  ["synap", [SYNAP]],
  ["synap help", [SYNAP, "help"]],
  ["synap migrate", [SYNAP, "migrate"]],
  ["migrate of an image", ["apps/cli/src/migrate-main.ts"]],
  ...scripts.map(([name, file]) => [name, [file]] as const),
];

interface Ended {
  readonly code: unknown;
  readonly out: string;
  readonly error: string;
}

function run(
  [file = "", ...args]: readonly string[],
  variables: Record<string, string> = {},
): Promise<Ended> {
  const env = { PATH: process.env["PATH"], ...variables };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["--import", "tsx", join(root, file), ...args],
      { cwd: root, env },
      (failure, out, error) => resolve({ code: failure === null ? 0 : failure.code, out, error }),
    );
  });
}

/** Runs each command of `synap` with an option that it does not have: all in one process, which starts once. */
async function refusals(): Promise<readonly Ended[]> {
  const lines = commands.map((name) => [name, "--no-such-option"]);
  const { out, error } = await run(["scripts/test/processes/run-commands.ts", JSON.stringify(lines)]);
  if (out === "") throw new Error(error);
  return JSON.parse(out);
}

const REFUSED = /^error: unknown option "--no-such-option"\. See [^\n]+ --help\.\n$/;

describe("exit codes", () => {
  it("every command of synap ends with 2 for an option that it does not have", async () => {
    const ended = await refusals();
    expect(commands.map((name, place) => ({ name, ...ended[place] }))).toEqual(
      commands.map((name) => ({ name, code: EXIT.usage, out: "", error: expect.stringMatching(REFUSED) })),
    );
  });

  it.each(programs)("%s ends with 2 for an option that it does not have", async (_name, command) => {
    const { code, out, error } = await run([...command, "--no-such-option"]);
    expect({ code, out, error }).toEqual({
      code: EXIT.usage,
      out: "",
      error: expect.stringMatching(REFUSED),
    });
  });

  it.each(scripts)("%s ends with 0 for help, which is wrapped in one place", async (name, file) => {
    const { code, out } = await run([file, "--help"]);
    const lines = out.split("\n");
    expect([code, lines[0]]).toEqual([EXIT.done, expect.stringContaining(`npx -y pnpm@12 ${name} `)]);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(handBrokenLines(lines, 80)).toEqual([]);
  });

  it.each<[string, readonly string[], Record<string, string>, RegExp]>([
    ["a word that is no command", [SYNAP, "event"], {}, /did you mean "events"/],
    ["help of a word that is no command", [SYNAP, "event", "--help"], {}, /did you mean "events"/],
    ["help of an unknown topic", [SYNAP, "help", "strat"], {}, /did you mean "start"/],
    ["help of an unknown topic in a group", [SYNAP, "help", "events", "tial"], {}, /did you mean "tail"/],
    ["no command", [SYNAP], {}, /^Usage: /],
    ["a group without a command", [SYNAP, "events"], {}, /^Usage: /],
    ["a missing argument", [SYNAP, "load"], {}, /missing required argument "file"/],
    [
      "a port that is none",
      [SYNAP, "start"],
      { SYNAP_API_PORT: "x" },
      /SYNAP_API_PORT \(--port\) can't be "x"\. It must/,
    ],
    [
      "an argument that is none",
      [SYNAP, "dead-letters", "retry", "abc"],
      {},
      /"abc" is no valid id\. It must be/,
    ],
    ["no database to migrate", [SYNAP, "migrate"], {}, /DATABASE_URL is not set/],
    ["a database URL that is none", [SYNAP, "migrate"], { DATABASE_URL: "x" }, /does not begin with/],
    ["no database for the broker", [SYNAP, "inngest-local"], {}, /DATABASE_URL is not set/],
    ["no database for the API", [SYNAP, "api"], { LOG_LEVEL: "info" }, /^$/],
    [
      "a log level that is none",
      [SYNAP, "api"],
      { LOG_LEVEL: "infos" },
      /LOG_LEVEL is "infos" \(did you mean "info"\?\)/,
    ],
    ["an unknown benchmark", ["bench/src/bench.ts", "none"], {}, /There is no benchmark none/],
    [
      "options that exclude each other",
      ["scripts/src/stress.ts", "--embedded", "--sabotage"],
      {},
      /--sabotage/,
    ],
    ["an unknown command of the bootstrap", ["scripts/bootstrap.mjs", "none"], {}, /^usage: /],
  ])("2: %s", async (_title, command, variables, reason) => {
    const { code, error } = await run(command, variables);
    expect({ code, error }).toEqual({ code: EXIT.usage, error: expect.stringMatching(reason) });
  });

  it.each<[string, readonly string[], Record<string, string>, RegExp]>([
    ["a file that is not there", [SYNAP, "load", "no-such-file"], {}, /no-such-file/],
    ["an envelope that is not there", [SYNAP, "envelope", "no-such-file"], {}, /can't be read/],
    [
      "a config that is not there",
      [SYNAP, "migrate", "--config", "none.ts"],
      { DATABASE_URL: NOWHERE },
      /none\.ts/,
    ],
    ["a directory that can't be created", [SYNAP, "start", "--data", "/proc/none/x"], {}, /can't be created/],
    ["a server that is not there", [SYNAP, "migrate"], { DATABASE_URL: NOWHERE }, /can't be reached/],
  ])("1: %s", async (_title, command, variables, reason) => {
    const { code, error } = await run(command, variables);
    expect({ code, error }).toEqual({ code: EXIT.failed, error: expect.stringMatching(reason) });
  });

  it("0: the release", async () => {
    const { version } = JSON.parse(readFileSync(join(root, "apps/cli/package.json"), "utf8"));
    expect(await run([SYNAP, "--version"])).toEqual({ code: EXIT.done, out: `${version}\n`, error: "" });
  });

  /** The environment of a shell, not of the package manager that runs this test. */
  const typing = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));

  it.each([
    ["npm start", ["start", "--", "--prot"]],
    ["npm run load", ["run", "load", "--", "--prot"]],
    ["npm run synap", ["run", "synap", "--", "--prot"]],
  ])("2, and the help is that of the command which was typed: %s", async (typed, args) => {
    const { code, error } = await promisify(execFile)("npm", args, { cwd: root, env: typing }).then(
      () => ({ code: 0, error: "" }),
      (failure: { code: number; stderr: string }) => ({ code: failure.code, error: failure.stderr }),
    );
    expect({ code, error }).toEqual({
      code: EXIT.usage,
      error: expect.stringContaining(`See ${typed} -- --help.`),
    });
  });
});
