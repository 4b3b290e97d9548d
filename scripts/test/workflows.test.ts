import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { root } from "./docs/documentation.ts";
import { NODE_RELEASES } from "./processes/npm-runtimes.ts";

const folder = join(root, ".github/workflows");

const workflow = z.object({
  // YAML 1.1 reads "on" as true; this parser keeps it.
  on: z.record(z.string(), z.unknown()),
  permissions: z.record(z.string(), z.string()),
  jobs: z.record(
    z.string(),
    z.object({
      if: z.string().optional(),
      environment: z.string().optional(),
      "timeout-minutes": z.number(),
      permissions: z.record(z.string(), z.string()).default({}),
      strategy: z.object({ matrix: z.object({ node: z.array(z.number()) }) }).optional(),
      steps: z.array(z.object({ uses: z.string().optional(), run: z.string().optional() })),
    }),
  ),
});

const workflows = readdirSync(folder).map((name) => {
  const text = readFileSync(join(folder, name), "utf8");
  return { name, text, ...workflow.parse(parse(text)) };
});
const jobs = workflows.flatMap(({ name, on, ...each }) =>
  Object.entries(each.jobs).map(([job, definition]) => ({ where: `${name} ${job}`, on, ...definition })),
);
const runs = (job: (typeof jobs)[number], command: string) =>
  job.steps.findIndex(({ run = "" }) => run.includes(command));

describe("the workflows", () => {
  it("pin every action to a commit, with its version beside it", () => {
    const uses = workflows.flatMap(({ text }) =>
      [...text.matchAll(/uses: (.*)/g)].map(([, action]) => action),
    );
    expect(uses.length).toBeGreaterThan(0);
    for (const action of uses) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it("may read the repository, and change things only in the job that publishes", () => {
    for (const { permissions } of workflows) expect(permissions).toEqual({ contents: "read" });
    for (const job of jobs) {
      const publishes = runs(job, "release:publish") >= 0;
      expect([job.where, job.permissions]).toEqual([
        job.where,
        publishes ? { contents: "write", "id-token": "write" } : {},
      ]);
    }
  });

  it("test on every version of Node.js that an installation is tested on", () => {
    const majors = NODE_RELEASES.map((version) => Number(version.split(".")[0]));
    const matrices = jobs.flatMap(({ strategy }) => (strategy === undefined ? [] : [strategy.matrix.node]));
    expect(matrices).toEqual([majors, majors]);
  });

  it("publish by hand only, from main, where somebody has to agree", () => {
    const publishing = jobs.filter((job) => runs(job, "publish") >= 0);
    expect(publishing).toMatchObject([
      {
        where: "release.yml publish",
        if: "inputs.publish && github.ref == 'refs/heads/main'",
        environment: "npm",
        on: { workflow_dispatch: { inputs: { publish: { default: false } } } },
      },
    ]);
    for (const job of publishing) {
      expect(Object.keys(job.on)).toEqual(["workflow_dispatch"]);
      // The tags of changesets are annotated: without a name git refuses them, when everything is published.
      expect(runs(job, "git config user.email")).toBeGreaterThanOrEqual(0);
      expect(runs(job, "git config user.email")).toBeLessThan(runs(job, "release:publish"));
    }
  });
});
