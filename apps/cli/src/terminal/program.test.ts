import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { startOptions } from "../all-in-one/start-options.ts";
import { createProgram } from "../operating/run-cli.ts";
import { setUpCommand } from "./program.ts";

/** The line that a command prints about its arguments. */
async function complaint(program: Command, args: readonly string[]): Promise<string> {
  let written = "";
  const record = (command: Command) => {
    command.exitOverride().configureOutput({ writeErr: (text) => (written += text) });
    for (const each of command.commands) record(each);
  };
  record(program);
  await expect(program.parseAsync(args, { from: "user" })).rejects.toThrow();
  return written;
}

/** The names that lead to each command without subcommands. */
function pathsOf(command: Command, path: readonly string[] = []): (readonly string[])[] {
  if (command.commands.length === 0) return [path];
  return command.commands.flatMap((each) => pathsOf(each, [...path, each.name()]));
}

const make = () => createProgram();

describe("what a command did not understand", () => {
  it.each(pathsOf(make()))("has one form, which names the help: %s %s", async (...names) => {
    const path = names.filter((name) => name !== undefined);
    const help = `See npx -y pnpm@12 synap ${path.join(" ")} --help.\n`;
    const required = path
      .reduce<Command | undefined>((at, word) => at?.commands.find((each) => each.name() === word), make())
      ?.options.flatMap(({ mandatory, long }) => (mandatory && long !== undefined ? [long, "x"] : []));
    expect(await complaint(make(), [...path, ...(required ?? []), "--jsno"])).toBe(
      `error: unknown option "--jsno" (did you mean "--json"?). ${help}`,
    );
    const other = await complaint(make(), [...path, ...Array.from({ length: 5 }, () => "x")]);
    expect(other).toMatch(/^error: [^'\n]*\. See [^'\n]* --help\.\n$/);
    expect(other.endsWith(help)).toBe(true);
  });

  it.each([
    [["--url", "http://127.0.0.1:9", "statsu"], 'unknown command "statsu" (did you mean "status"?)'],
    [["--url", "http://127.0.0.1:9", "strat"], 'unknown command "strat" (did you mean "start"?)'],
    [["--json", "migrate"], '"migrate" must come before all options'],
    [["--ulr", "x"], 'unknown option "--ulr" (did you mean "--url"?)'],
  ])("has the same form after options: %j", async (args, expected) => {
    expect(await complaint(make(), args)).toBe(`error: ${expected}. See npx -y pnpm@12 synap --help.\n`);
  });

  it("has the same form in a program of its own", async () => {
    const program = setUpCommand(
      startOptions("start", "", []).action(() => {}),
      (args) => `npx -y pnpm@12 synap start ${args}`,
    );
    expect(await complaint(program, ["--prot", "1"])).toBe(
      'error: unknown option "--prot" (did you mean "--port"?). See npx -y pnpm@12 synap start --help.\n',
    );
  });
});
