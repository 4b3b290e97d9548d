import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { findCommand } from "@synap/cli/operating/run-cli.ts";
import { findProgram } from "@synap/cli/programs.ts";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { isPathOf, routesOfApi } from "./api-routes.ts";
import { files, pages, read, root } from "./documentation.ts";
import { simpleCommands } from "./shell-commands.ts";

// Page tours run the blocks marked "tour". Here every command on every page, run or not, is held against what it calls.

interface Mention {
  readonly where: string;
  readonly words: readonly string[];
}

const OURS =
  /^(?:npx -y pnpm@12|npx synap|npm (?:start|test|run)|node (?:apps|scripts)\/|synap (?!\w+\/)[a-z-]+|bash \.ci|\.ci\/|curl .|docker compose .)/;

/** An example's own page is followed from an empty folder by shop.e2e.test.ts, where npm knows the scripts of the example. */
const ofProduct = pages.filter(({ path }) => !path.startsWith("examples/"));

const mentions: readonly Mention[] = ofProduct.flatMap((page) => [
  ...page.blocks
    .filter(({ info }) => /^(bash|sh)\b/.test(info))
    .flatMap(({ text, line }) =>
      simpleCommands(text).map((words) => ({ where: `${page.path}:${line}: ${words.join(" ")}`, words })),
    ),
  ...[...page.prose.matchAll(/`([^`\n]+)`/g)]
    .filter(([, code = ""]) => OURS.test(code))
    .flatMap(([, code = ""]) =>
      simpleCommands(code).map((words) => ({ where: `${page.path}: ${code}`, words })),
    ),
]);

/** Programs that are not Synap's, and what tries the way in which the pages call them. */
const othersPrograms = new Map([
  ["psql", "dump-restore.fault.test.ts runs the commands of the page"],
  ["pg_dump", "dump-restore.fault.test.ts"],
  ["pg_dumpall", "dump-restore.fault.test.ts"],
  ["pg_restore", "dump-restore.fault.test.ts"],
  ["pg_verifybackup", "pitr.fault.test.ts runs the commands of the page"],
  ["openssl", "signing-page.test.ts makes a secret of the same form"],
  ["tsx", "signing-page.test.ts runs the program of the page"],
  ["pg_basebackup", "replica.fault.test.ts runs the command of the page"],
  ["docker", "compose.test.ts holds the file against the specification; there is no daemon where tests run"],
  ["redis-cli", "redis-sink.test.ts runs the command of the page"],
  ["inngest", "INNGEST_TEST_URL names a server that runs"],
  ...[
    "[",
    "cat",
    "chmod",
    "cp",
    "echo",
    "exit",
    "grep",
    "gzip",
    "mv",
    "printf",
    "rm",
    "set",
    "sleep",
    "touch",
  ].map((name) => [name, "in every shell"] as const),
]);

const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(read("package.json")));
/** The file that a bundle is built from. */
const bundles: Readonly<Record<string, string>> = {
  "apps/cli/dist/keys/main.js": "apps/cli/src/keys-main.ts",
  "apps/cli/dist/migrate/main.js": "apps/cli/src/migrate-main.ts",
  "apps/api/dist/main.js": "apps/api/src/main.ts",
  "apps/worker/dist/main.js": "apps/worker/src/main.ts",
};

/** A program of the repository and what it is given; undefined when the command calls something else. */
function programOf(words: readonly string[]): { file: string; args: readonly string[] } | undefined {
  const line = words.join(" ");
  const [, script, rest = ""] =
    /^npx -y pnpm@12 (?:run )?([\w:-]+)(?: (.*))?$/.exec(line) ??
    /^npm (?:run )?([\w:-]+)(?: -- (.*))?$/.exec(line) ??
    /^(?:npx )?(synap)(?: (.*))?$/.exec(line) ??
    [];
  if (script !== undefined) {
    const text = (scripts[script] ?? "").replace(
      /^exec node scripts\/bootstrap.mjs start$/,
      `tsx ${SYNAP_CLI} start`,
    );
    const [, file, given = ""] = /^tsx (\S+)(.*)$/.exec(text) ?? [];
    return file === undefined ? undefined : { file, args: `${given} ${rest}`.split(" ").filter(Boolean) };
  }
  const [program, bundle = ""] = words;
  const file = bundles[bundle];
  return program === "node" && file !== undefined ? { file, args: words.slice(2) } : undefined;
}

const SYNAP_CLI = "apps/cli/src/synap-cli.ts";
const helps = new Map<string, Promise<string>>();

/** Runs a program with --help and returns its output. */
function helpOf(file: string): Promise<string> {
  const help =
    helps.get(file) ??
    promisify(execFile)(process.execPath, ["--import", "tsx", join(root, file), "--help"], {
      cwd: root,
    }).then(({ stdout }) => stdout);
  helps.set(file, help);
  return help;
}

/** The arguments of a program that it does not know. */
async function unknownArguments(file: string, args: readonly string[]): Promise<string[]> {
  const options = args.filter((arg) => /^--\w/.test(arg)).map((arg) => arg.replace(/=.*/, ""));
  if (file === SYNAP_CLI) {
    const [name = ""] = args;
    const isProgram = findProgram(name) !== undefined || name === "help";
    let command = await findCommand(isProgram && name !== "help" ? [name] : []);
    const known = new Set(["--help", "--version", ...command.options.map(({ long }) => long)]);
    for (const word of name === "help" ? [] : isProgram ? args.slice(1) : args) {
      if (command.commands.length === 0 || word.startsWith("-")) break;
      const next = command.commands.find((each) => each.name() === word);
      if (next === undefined) return [word];
      command = next;
      for (const { long } of command.options) known.add(long);
    }
    return options.filter((option) => !known.has(option));
  }
  if (options.length === 0) return [];
  const help = await helpOf(file);
  return options.filter((option) => !new RegExp(`(?<![\\w-])${option}(?![\\w-])`).test(help));
}

describe("the commands of the documentation", () => {
  it("are Synap's, or programs that something else tries", () => {
    const known = mentions.filter(({ words: [program = "", ...args] }) => {
      if (program === "npx")
        return args[0] === "-y" || args[0] === "synap" || othersPrograms.has(args[0] ?? "");
      if (["npm", "node", "synap", "curl"].includes(program)) return true;
      if (program === "bash") return files.includes(args[0] ?? "");
      return othersPrograms.has(program) || files.includes(program);
    });
    expect(mentions.filter((each) => !known.includes(each)).map(({ where }) => where)).toEqual([]);
  });

  it("start scripts and files that exist", () => {
    const strays = mentions.filter(({ words }) => {
      const [program, second = "", third = ""] = words;
      if (program === "npx" && second === "-y" && third === "pnpm@12") {
        const script = words[3] ?? "";
        return !(/^(--filter|exec|NAME)$/.test(script) || script in scripts);
      }
      if (program === "npm") {
        return !(second in scripts || third in scripts || ["init", "install", "pkg"].includes(second));
      }
      if (program !== "node") return false;
      const file = bundles[second] ?? second;
      return !existsSync(join(root, file));
    });
    expect(strays.map(({ where }) => where)).toEqual([]);
  });

  it("have the options and subcommands that --help shows", async () => {
    const strays = await Promise.all(
      mentions.map(async ({ where, words }) => {
        const program = programOf(words);
        const unknown = program === undefined ? [] : await unknownArguments(program.file, program.args);
        return unknown.map((argument) => `${where} (${argument})`);
      }),
    );
    expect(strays.flat()).toEqual([]);
  });

  it("call routes of the API, with parameters that these have", async () => {
    const routes = await routesOfApi();
    const strays = mentions.flatMap(({ where, words }) => {
      if (words[0] !== "curl") return [];
      const address = words.find((word) => /^(\$API|https?:)/.test(word));
      const found = /^(?:\$API|https?:\/\/[^/]+)(\/[^?]*)(?:\?(.*))?$/.exec(address ?? "");
      if (found === null) return [where];
      const [, path = "", query = ""] = found;
      const named = words.includes("-X") ? words[words.indexOf("-X") + 1] : undefined;
      const method = named ?? (words.some((word) => /^(-d|--data.*)$/.test(word)) ? "POST" : "GET");
      const route = routes.find((each) => each.method === method && isPathOf(path, each.path));
      const unknown = [...new URLSearchParams(query).keys()].filter((name) => !route?.query.includes(name));
      return route === undefined ? [where] : unknown.map((name) => `${where} (${name})`);
    });
    expect(strays).toEqual([]);
  });
});

describe("the messages and help texts of the commands", () => {
  it("name scripts that exist", () => {
    const sources = files.filter((file) => file.endsWith(".ts") && !/\.test\.ts$/.test(file));
    const strays = sources.flatMap((file) =>
      [...read(file).matchAll(/\b(?:npx -y pnpm@12|npm run) ([a-z][\w:-]*\w)/g)]
        .filter(([, script = ""]) => !(script in scripts || /^(exec|install|pack)$/.test(script)))
        .map(([command]) => `${file}: ${command}`),
    );
    expect(strays).toEqual([]);
  });
});
