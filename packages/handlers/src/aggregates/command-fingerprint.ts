import { createHash } from "node:crypto";
import type { JsonObject } from "@synap/types";

/** The member of an event's metadata that distinguishes its command from another one under the same key. */
export const COMMAND_FINGERPRINT = "commandFingerprint";

/** Hashes the data of a command, whatever the order of its members. */
export function commandFingerprint(data: unknown): string {
  const text = JSON.stringify(data, (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1)))
      : value,
  );
  return createHash("sha256")
    .update(text ?? "")
    .digest("base64url")
    .slice(0, 22);
}

/** True if an event is known to be of another command. Of events without a fingerprint that is not known. */
export function isOfOther(metadata: JsonObject | undefined, fingerprint: string): boolean {
  const known = metadata?.[COMMAND_FINGERPRINT];
  return known !== undefined && known !== fingerprint;
}
