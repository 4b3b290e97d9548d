// Removes the changelogs of packages that aren't published, in the repository that is the working directory. changesets
// writes one for every package whose version it raises.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { readWorkspacePackages } from "./workspace-packages.ts";

for (const { folder, manifest } of readWorkspacePackages(process.cwd())) {
  if (manifest.private) rmSync(join(folder, "CHANGELOG.md"), { force: true });
}
