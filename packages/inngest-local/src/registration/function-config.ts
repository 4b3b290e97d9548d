import { createHash } from "node:crypto";
import { z } from "zod";
import { findTextFault } from "../queue/database.ts";
import { parseCron } from "../schedule/cron-pattern.ts";
import { compileExpression } from "./expression.ts";

/** Configuration of a registered function. */
export interface FunctionConfig {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly events: readonly { readonly event: string; readonly expression: string | undefined }[];
  readonly crons: readonly string[];
  readonly maxAttempts: number;
  /** Maximum number of calls in flight; undefined means no limit. */
  readonly concurrency: number | undefined;
}

/** Maximum and default number of retries, as on the Inngest server. */
const MAX_RETRIES = 20;
const DEFAULT_RETRIES = 4;

/** A text that a text column can store. */
const storableText = z.string().superRefine((text, context) => {
  const fault = findTextFault(text);
  if (fault !== undefined) context.addIssue({ code: "custom", message: `must not contain ${fault}` });
});
const concurrencyLimit = z.number().int().min(0);
const concurrencySchema = z.strictObject({ limit: concurrencyLimit, scope: z.literal("fn").optional() });
const functionSchema = z.object({
  id: storableText.min(1),
  name: z.string().optional(),
  triggers: z
    .array(
      z.union([
        z.strictObject({ event: storableText.min(1), expression: z.string().nullish() }),
        z.strictObject({ cron: z.string().min(1) }),
      ]),
    )
    .default([]),
  steps: z.record(
    z.string(),
    z.object({
      runtime: z.object({ type: z.literal("http"), url: z.url({ protocol: /^https?$/ }) }),
      retries: z.object({ attempts: z.number().int().min(0).max(MAX_RETRIES) }).optional(),
    }),
  ),
  concurrency: z.union([concurrencyLimit, concurrencySchema, z.array(concurrencySchema).length(1)]).nullish(),
});
const KNOWN = new Set(Object.keys(functionSchema.shape));
/** Names in the SDK's API of unsupported options that the protocol names differently. */
const UNSUPPORTED: Readonly<Record<string, string>> = { cancel: "cancelOn" };

/** A valid configuration, or its problems, each naming the function and the option. */
type FunctionReading =
  | { readonly config: FunctionConfig; readonly problems?: never }
  | { readonly config?: never; readonly problems: readonly string[] };

/** Parses one function of a registration. */
export function readFunctionConfig(raw: unknown): FunctionReading {
  const id = typeof raw === "object" && raw !== null && "id" in raw ? String(raw.id) : "(no id)";
  const refuse = (problem: string) => `function "${id}": ${problem}`;
  const unsupported = unsupportedOptions(raw).map((option) =>
    refuse(`the option "${option}" is not supported by inngest-local; use the Inngest server for it`),
  );
  if (unsupported.length > 0) return { problems: unsupported };
  const parsed = functionSchema.safeParse(raw);
  if (!parsed.success) {
    return {
      problems: parsed.error.issues.map((issue) => {
        const reason =
          issue.code === "custom" ? issue.message : "has a value that inngest-local does not support";
        return refuse(`the option "${issue.path.join(".")}" ${reason}`);
      }),
    };
  }
  const config = parsed.data;
  const step = Object.values(config.steps)[0];
  if (step === undefined) return { problems: [refuse("it has no step to call")] };
  const events = config.triggers.flatMap((trigger) =>
    "event" in trigger ? [{ event: trigger.event, expression: trigger.expression ?? undefined }] : [],
  );
  const crons = config.triggers.flatMap((trigger) => ("cron" in trigger ? [trigger.cron] : []));
  const result: FunctionConfig = {
    id: config.id,
    name: config.name ?? config.id,
    url: step.runtime.url,
    events,
    crons,
    maxAttempts: (step.retries?.attempts ?? DEFAULT_RETRIES) + 1,
    concurrency: readConcurrency(config.concurrency),
  };
  const problems = checkTexts(result).map(refuse);
  return problems.length > 0 ? { problems } : { config: result };
}

function unsupportedOptions(raw: unknown): string[] {
  if (typeof raw !== "object" || raw === null) return [];
  const given = Object.entries(raw).filter(([, value]) => value !== undefined && value !== null);
  const options = given.filter(([key]) => !KNOWN.has(key)).map(([key]) => UNSUPPORTED[key] ?? key);
  const triggers: unknown[] = "triggers" in raw && Array.isArray(raw.triggers) ? raw.triggers : [];
  const jitter = triggers.some(
    (trigger) => typeof trigger === "object" && trigger !== null && "jitter" in trigger,
  );
  return jitter ? [...options, "triggers.jitter"] : options;
}

type RawConcurrency = z.infer<typeof functionSchema>["concurrency"];

/** A limit of 0 means none, as on the server. */
function readConcurrency(raw: RawConcurrency): number | undefined {
  const [given] = Array.isArray(raw) ? raw : [raw];
  const limit = typeof given === "object" ? given?.limit : given;
  return limit === undefined || limit === 0 ? undefined : limit;
}

/** Compiles every expression and cron pattern, so that an invalid one is refused at registration. */
function checkTexts(config: FunctionConfig): string[] {
  const checks: [string, () => unknown][] = [
    ...config.events.flatMap(({ expression }): [string, () => unknown][] =>
      expression === undefined ? [] : [["triggers.if", () => compileExpression(expression)]],
    ),
    ...config.crons.map((text): [string, () => unknown] => ["triggers.cron", () => parseCron(text)]),
  ];
  return checks.flatMap(([option, check]) => {
    try {
      check();
      return [];
    } catch (error) {
      return [`the option "${option}" is ${error instanceof Error ? error.message : String(error)}`];
    }
  });
}

/** Derives a UUID from a text: apps and functions have UUIDs in the protocol. */
export function uuidOf(text: string): string {
  const hex = createHash("sha1").update(text).digest("hex");
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20, 32)}`;
}
