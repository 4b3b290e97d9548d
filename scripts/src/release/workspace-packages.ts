import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

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

/** Reads every package that the product is made of: those of the workspace but the root and the examples. */
export function readWorkspacePackages(root: string): readonly WorkspacePackage[] {
  const inside = ["apps", "packages"].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => `${parent}/${name}`),
  );
  return [...inside, "scripts", "bench"].map((folder) => ({
    folder,
    manifest: readManifest(readFileSync(join(root, folder, "package.json"), "utf8")),
  }));
}
