import { cpSync, existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { basename, join } from "node:path";

/** Command and working directory of an image's containers. */
export interface Image {
  readonly folder: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

interface Stage {
  readonly base: string;
  readonly steps: readonly (readonly [instruction: string, rest: string])[];
}

/** The stages of a Dockerfile by name. Knows the instructions that the shop's has, one a line. */
export function stagesOf(dockerfile: string): ReadonlyMap<string, Stage> {
  const stages = new Map<string, { base: string; steps: [string, string][] }>();
  let current: { base: string; steps: [string, string][] } | undefined;
  for (const line of dockerfile.split("\n")) {
    const [, instruction = "", rest = ""] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    if (instruction === "FROM") {
      const [base = "", , name = ""] = rest.split(" ");
      current = { base, steps: [] };
      stages.set(name, current);
    } else if (instruction !== "") current?.steps.push([instruction, rest]);
  }
  return stages;
}

/**
 * Builds a target without Docker: every stage is a folder, COPY copies, and RUN calls `run`.
 *
 * @param context the folder of the Dockerfile
 * @throws Error for a path that COPY names and nothing has, and for an instruction that is unknown
 */
export function buildByHand(
  dockerfile: string,
  target: string,
  {
    context,
    scratch,
    run,
  }: { context: string; scratch: string; run: (command: string, folder: string) => void },
): Image {
  const stages = stagesOf(dockerfile);
  const build = (name: string): { root: string; workdir: string } & Omit<Image, "folder"> => {
    const stage = stages.get(name);
    const root = mkdtempSync(join(scratch, `${name.replaceAll(/\W/g, "-")}-`));
    if (stage === undefined) return { root, workdir: "/", command: [], env: {} };
    const base = build(stage.base);
    cpSync(base.root, root, { recursive: true, verbatimSymlinks: true });
    let { workdir, command, env } = base;
    for (const [instruction, rest] of stage.steps) {
      if (instruction === "WORKDIR") {
        workdir = rest;
        mkdirSync(join(root, workdir), { recursive: true });
      } else if (instruction === "ENV") {
        const [key = "", value = ""] = rest.split("=");
        env = { ...env, [key]: value };
      } else if (instruction === "CMD") {
        command = /"([^"]*)"/.test(rest) ? [...rest.matchAll(/"([^"]*)"/g)].map(([, word = ""]) => word) : [];
      } else if (instruction === "RUN") {
        run(rest, join(root, workdir));
      } else if (instruction === "COPY") {
        const words = rest.split(" ");
        const from = /^--from=(.*)$/.exec(words[0] ?? "")?.[1];
        const source = from === undefined ? context : build(from).root;
        const [to = "", ...paths] = (from === undefined ? words : words.slice(1)).reverse();
        for (const path of paths) {
          if (!existsSync(join(source, path))) throw new Error(`COPY ${rest}: there is no ${path}`);
          const isWhole = from !== undefined || !to.endsWith("/");
          const target = join(root, workdir, isWhole ? to : join(to, basename(path)));
          cpSync(join(source, path), target, { recursive: true, verbatimSymlinks: true });
        }
      } else if (!["EXPOSE", "USER"].includes(instruction)) {
        throw new Error(`${instruction} ${rest}: unknown here`);
      }
    }
    return { root, workdir, command, env };
  };
  const { root, workdir, command, env } = build(target);
  return { folder: join(root, workdir), command, env };
}
