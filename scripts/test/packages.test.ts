import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { readWorkspacePackages } from "../src/release/workspace-packages.ts";
import { publicPackages, root, workspacePackages } from "./processes/public-packages.ts";
import { makeReleaseCopy } from "./processes/release-copy.ts";

const published = z.looseObject({
  description: z.string().min(1),
  license: z.literal("MIT"),
  type: z.literal("module"),
  engines: z.strictObject({ node: z.literal(">=20") }),
  sideEffects: z.literal(false),
  exports: z.record(z.string(), z.string()),
  files: z.array(z.string()),
  publishConfig: z.strictObject({
    access: z.literal("public"),
    provenance: z.literal(true),
    exports: z.record(z.string(), z.strictObject({ types: z.string(), default: z.string() })),
  }),
});

describe.each(publicPackages)("the package $manifest.name", ({ folder, manifest }) => {
  it("has what the registry and applications need, and a README", () => {
    const { files } = published.parse(manifest);
    expect(files).toEqual(expect.arrayContaining(["dist", "README.md", "LICENSE"]));
    expect(existsSync(join(root, folder, "README.md"))).toBe(true);
  });

  it("names its folder, and leaves the repository's address to the release", () => {
    expect(manifest["repository"]).toEqual({ type: "git", directory: folder });
  });

  it("publishes every entry that another package's program imports", () => {
    const { exports, publishConfig } = published.parse(manifest);
    const own = Object.keys(exports).filter((entry) => !entry.startsWith("./testing"));
    expect(Object.keys(publishConfig.exports)).toEqual(expect.arrayContaining(own));
  });
});

it("a package that isn't published has nothing of one that is", () => {
  const privates = workspacePackages.filter(({ manifest }) => manifest.private);
  expect(privates.filter(({ manifest }) => "publishConfig" in manifest || "files" in manifest)).toEqual([]);
});

describe("a release", () => {
  const copy = makeReleaseCopy();
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  const versions = () =>
    readWorkspacePackages(copy).map(({ manifest: { name, version } }) => ({ name, version }));
  const program = (name: string, ...args: string[]) =>
    execFileSync(join(root, "node_modules/.bin", name), args, { cwd: copy, encoding: "utf8" });

  it("gives all packages one version, those that are published a changelog, and a minor change no major version", () => {
    const before = versions();
    expect(new Set(before.map(({ version }) => version)).size).toBe(1);

    // The entries of the next release name packages that exist; another one takes their place.
    program("changeset", "status");
    for (const entry of readdirSync(join(copy, ".changeset")).filter((name) => name.endsWith(".md"))) {
      rmSync(join(copy, ".changeset", entry));
    }
    const change = '---\n"@synap/types": minor\n---\n\nA change of one package.\n';
    writeFileSync(join(copy, ".changeset/minor-change.md"), change);
    const steps = z
      .object({ "release:version": z.string() })
      .parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts)
      ["release:version"].split(" && ");
    expect(steps.pop()).toBe("pnpm install --lockfile-only");
    for (const [name = "", ...args] of steps.map((step) => step.split(" "))) {
      program(name, ...args.map((arg) => (arg.endsWith(".ts") ? join(root, arg) : arg)));
    }

    const [major, minor] = before[0]?.version.split(".").map(Number) ?? [];
    const next = `${major}.${Number(minor) + 1}.0`;
    expect(versions()).toEqual(before.map(({ name }) => ({ name, version: next })));
    expect(readFileSync(join(copy, "packages/client/CHANGELOG.md"), "utf8")).toContain(`## ${next}`);
    const withChangelog = workspacePackages.filter(({ folder }) =>
      existsSync(join(copy, folder, "CHANGELOG.md")),
    );
    expect(withChangelog).toEqual(publicPackages);
  });

  it("is published by hand only, from an environment that has the token, with provenance", () => {
    const workflow = z
      .looseObject({
        on: z.record(z.string(), z.unknown()),
        permissions: z.unknown(),
        jobs: z.strictObject({ check: z.unknown(), publish: z.looseObject({ environment: z.string() }) }),
      })
      .parse(parse(readFileSync(join(root, ".github/workflows/release.yml"), "utf8")));
    expect(Object.keys(workflow.on)).toEqual(["workflow_dispatch"]);
    expect(workflow.permissions).toEqual({ contents: "read" });
    expect(workflow.jobs.publish).toMatchObject({
      needs: "check",
      environment: "npm",
      permissions: { "id-token": "write" },
    });
  });

  it("uses no action whose code could change", () => {
    const actions = ["ci", "release"].flatMap((name) => [
      ...readFileSync(join(root, `.github/workflows/${name}.yml`), "utf8").matchAll(/uses: (\S+)/g),
    ]);
    expect(actions.filter(([, action]) => !/@[0-9a-f]{40}$/.test(action ?? ""))).toEqual([]);
  });
});
