import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";

const run = promisify(execFile);

/** The repository's folder. */
export const root = fileURLToPath(new URL("../../..", import.meta.url));

const manifestSchema = z.looseObject({
  name: z.string(),
  version: z.string(),
  private: z.boolean().default(false),
  dependencies: z.record(z.string(), z.string()).default({}),
});
export type Manifest = z.output<typeof manifestSchema>;

/** Reads the text of a package.json. */
export const readManifest = (text: string): Manifest => manifestSchema.parse(JSON.parse(text));

/** A package of this workspace. */
export interface WorkspacePackage {
  /** The path from the repository's folder: `packages/client`. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/** Every package that the product is made of: those of the workspace but the root and the examples. */
export const workspacePackages: readonly WorkspacePackage[] = [
  ...["apps", "packages"].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => `${parent}/${name}`),
  ),
  "scripts",
  "bench",
].map((folder) => ({
  folder,
  manifest: readManifest(readFileSync(join(root, folder, "package.json"), "utf8")),
}));

/** Every package that applications install. The others are bundled into the program of @synap/synap. */
export const publicPackages = workspacePackages.filter(({ manifest }) => !manifest.private);

/** Builds the public packages. */
export async function buildPublicPackages(): Promise<void> {
  const names = publicPackages.flatMap(({ manifest }) => ["--filter", manifest.name]);
  await run("npx", ["-y", "pnpm@12", "build", ...names], { cwd: root });
}

/** Packs packages of the workspace into a folder. Resolves with the paths of the tarballs by package name. */
export async function packPackages(
  destination: string,
  packages: readonly { readonly name: string; readonly version: string }[],
): Promise<ReadonlyMap<string, string>> {
  const names = packages.flatMap(({ name }) => ["--filter", name]);
  const pack = ["--recursive", ...names, "pack", "--pack-destination", destination];
  await run("npx", ["-y", "pnpm@12", ...pack], { cwd: root });
  return new Map(
    packages.map(({ name, version }) => [
      name,
      join(destination, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`),
    ]),
  );
}
