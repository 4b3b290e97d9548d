import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { root, workspacePackages } from "./public-packages.ts";

/** A repository in a temporary folder with what a release reads: the manifests and the entries of changesets. */
export function makeReleaseCopy(): string {
  const copy = mkdtempSync(join(tmpdir(), "synap-release-"));
  const manifests = workspacePackages.map(({ folder }) => `${folder}/package.json`);
  const others = ["pnpm-workspace.yaml", "pnpm-lock.yaml", ".changeset", "examples/shop/package.json"];
  for (const path of ["package.json", ...others, ...manifests]) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    cpSync(join(root, path), join(copy, path), { recursive: true });
  }
  const git = (...args: string[]) => execFileSync("git", args, { cwd: copy });
  git("init", "--quiet", "--initial-branch", "main");
  git("config", "user.name", "synap");
  git("config", "user.email", "synap@localhost");
  git("add", ".");
  git("commit", "--quiet", "--message", "a release");
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  return copy;
}
