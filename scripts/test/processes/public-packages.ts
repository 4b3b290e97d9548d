import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { readWorkspacePackages } from "../../src/release/workspace-packages.ts";

const run = promisify(execFile);

/** The repository's folder. */
export const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Every package that the product is made of. */
export const workspacePackages = readWorkspacePackages(root);

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
