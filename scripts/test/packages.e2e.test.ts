import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const bin = (name: string) => join(root, "scripts/node_modules/.bin", name);

const manifest = z.looseObject({
  name: z.string(),
  files: z.array(z.string()),
  license: z.string(),
  engines: z.object({ node: z.string() }),
  repository: z.object({ directory: z.string() }),
  dependencies: z.record(z.string(), z.string()).default({}),
});

/** Every package that applications install. The others are bundled into the program of @synap/synap. */
const packages = readdirSync(join(root, "packages")).filter(
  (name) => !/"private": true/.test(readFileSync(join(root, "packages", name, "package.json"), "utf8")),
);
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "synap-packages-"));
  await run("npx", ["-y", "pnpm@12", "build", "--filter", "./packages/*"], { cwd: root });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(packages)("the package packages/%s, as it would be published", (name) => {
  let tarball: string;

  beforeAll(async () => {
    const cwd = join(root, "packages", name);
    const { stdout } = await run("npx", ["-y", "pnpm@12", "pack", "--pack-destination", folder], { cwd });
    tarball = stdout.trim().split("\n").at(-1) ?? "";
  });

  it("says what it is, and needs nothing of the workspace", async () => {
    const { stdout } = await run("tar", ["xOf", tarball, "package/package.json"]);
    const { dependencies, repository } = manifest.parse(JSON.parse(stdout));
    expect(repository.directory).toBe(`packages/${name}`);
    expect(Object.values(dependencies).filter((range) => /workspace:|catalog:/.test(range))).toEqual([]);
  });

  it("holds JavaScript with declarations, and no sources or tests", async () => {
    const { stdout } = await run("tar", ["tf", tarball]);
    const files = stdout.trim().split("\n");
    expect(files).toContain("package/LICENSE");
    expect(files.filter((file) => /\.test\.|\.type-test\.|^package\/src\//.test(file))).toEqual([]);
    expect(files.filter((file) => /\.ts$/.test(file) && !/\.d\.ts$/.test(file))).toEqual([]);
  });

  it("is clean for publint and for the types of every resolution that ESM has", async () => {
    await run(bin("publint"), ["--strict", tarball]);
    await run(bin("attw"), [tarball, "--profile", "esm-only"]);
  });
});

it("the client has no dependencies", () => {
  const text = readFileSync(join(root, "packages/client/package.json"), "utf8");
  expect(manifest.parse(JSON.parse(text)).dependencies).toEqual({});
});
