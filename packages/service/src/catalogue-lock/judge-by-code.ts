import { escapeToken, type JudgeVerdict } from "@synap/database/schema-changes";
import { zodReason } from "@synap/types/internal";
import type { z } from "zod";

/** The verdict of a Zod schema. What makes it throw is refused, as it is by those who validate with it. */
export function judgeByCode(schema: z.ZodType, document: unknown): JudgeVerdict {
  try {
    const result = schema.safeParse(document, { reportInput: true });
    if (result.success) return { accepted: true };
    const [issue] = result.error.issues;
    const names = issue?.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
    const path = [...(issue?.path ?? []), ...names];
    return {
      accepted: false,
      pointer: path.map((key) => `/${escapeToken(String(key))}`).join(""),
      reason: issue === undefined ? "it is refused" : zodReason(issue),
    };
  } catch {
    return { accepted: false, pointer: "", reason: "the schema threw" };
  }
}
