import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Report } from "./report.ts";

const run = promisify(execFile);

/** The measured commit; undefined where git or the repository is missing (in an image, in an archive). */
export async function describeCommit(directory: string): Promise<Report["commit"]> {
  const git = async (...args: string[]) => (await run("git", args, { cwd: directory })).stdout.trim();
  try {
    const [id, changes] = await Promise.all([git("rev-parse", "HEAD"), git("status", "--porcelain")]);
    return { id, changed: changes !== "" };
  } catch {
    return undefined;
  }
}
