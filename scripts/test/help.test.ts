import { findCommand } from "@synap/cli/operating/run-cli.ts";
import { PROGRAMS } from "@synap/cli/programs.ts";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { handBrokenLines } from "./processes/hand-broken-lines.ts";

/** The words of every help topic. */
const topics = [
  [],
  ["settings"],
  ...PROGRAMS.map(({ name }) => [name]),
  ...pathsOf(await findCommand([])).filter((path) => path.length > 0),
];

function pathsOf(command: Command, path: readonly string[] = []): (readonly string[])[] {
  return [path, ...command.commands.flatMap((each) => pathsOf(each, [...path, each.name()]))];
}

/** The output of `synap help` on a terminal of this width. */
async function helpOf(topic: readonly string[], width: number): Promise<string> {
  let text = "";
  const command = await findCommand(topic);
  command.configureOutput({ writeOut: (written) => (text += written), getOutHelpWidth: () => width });
  command.outputHelp();
  return text;
}

describe("the help of every command", () => {
  it.each(topics.map((topic) => ({ topic, named: topic.join(" ") })))(
    "fits the terminal, and is wrapped only there: synap help $named",
    async ({ topic }) => {
      for (const width of [72, 80, 100, 200]) {
        const lines = (await helpOf(topic, width)).split("\n");
        expect(lines.filter((line) => line.length > width)).toEqual([]);
        expect(handBrokenLines(lines, width)).toEqual([]);
      }
    },
  );

  it.each(topics.map((topic) => ({ topic, named: topic.join(" ") })))(
    "begins with the command itself: synap help $named",
    async ({ topic }) => {
      const usage = topic[0] === "settings" ? "help settings" : topic.join(" ");
      const [first] = (await helpOf(topic, 80)).split("\n");
      expect(first?.startsWith(`Usage: npx -y pnpm@12 synap ${usage}`.trim())).toBe(true);
    },
  );
});
