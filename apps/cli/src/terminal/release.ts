import { readFileSync } from "node:fs";
import { readProperty } from "@synap/types/internal";

/** This release of Synap. The path holds in the sources and in the bundle, which is as deep in its package. */
export const RELEASE: string = readRelease();

function readRelease(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return String(readProperty(manifest, "version") ?? "unknown");
}
