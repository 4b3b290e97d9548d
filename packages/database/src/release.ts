import { readFileSync } from "node:fs";

/** Version of this package, from its package.json. */
export const RELEASE: string = readRelease();

function readRelease(): string {
  const value: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  if (
    typeof value === "object" &&
    value !== null &&
    "version" in value &&
    typeof value.version === "string"
  ) {
    return value.version;
  }
  throw new Error("package.json of @synap/database has no version.");
}
