import { z } from "zod";
import { compileExpression } from "../flow/expression.ts";
import { findTextFault } from "../queue/text-fault.ts";
import { parseCron } from "../schedule/cron-pattern.ts";
import { parseDuration } from "../schedule/duration.ts";

/** A concurrency limit: at most `limit` calls in flight, per value of `key` where there is one. */
export interface ConcurrencyLimit {
  readonly limit: number;
  readonly key: string | undefined;
  readonly scope: "fn" | "env" | "account";
}

/** How a function collects events. */
export interface BatchConfig {
  readonly maxSize: number;
  /** Milliseconds from a batch's first event. */
  readonly timeout: number;
  readonly key: string | undefined;
  /** Events for which this isn't true start a run of their own. */
  readonly condition: string | undefined;
}

/** A registered function, as far as the stand-in needs it. */
export interface FunctionConfig {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly events: readonly { readonly event: string; readonly expression: string | undefined }[];
  readonly crons: readonly string[];
  readonly maxAttempts: number;
  readonly concurrency: readonly ConcurrencyLimit[];
  readonly batch: BatchConfig | undefined;
  readonly idempotency: string | undefined;
}

/** The Inngest server allows this many retries, and makes this many when a function doesn't say. */
const MAX_RETRIES = 20;
const DEFAULT_RETRIES = 4;

/** A text that becomes a key of the queue. */
const storableText = z.string().superRefine((text, context) => {
  const fault = findTextFault(text);
  if (fault !== undefined) context.addIssue({ code: "custom", message: `must not contain ${fault}` });
});
const concurrencySchema = z.strictObject({
  limit: z.number().int().min(0),
  key: z.string().optional(),
  scope: z.enum(["fn", "env", "account"]).default("fn"),
});
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
  concurrency: z
    .union([z.number().int().min(0), concurrencySchema, z.array(concurrencySchema).max(2)])
    .nullish(),
  batchEvents: z
    .strictObject({
      maxSize: z.number().int().min(2),
      timeout: z.string(),
      key: z.string().nullish(),
      if: z.string().nullish(),
    })
    .nullish(),
  idempotency: z.string().nullish(),
});
const KNOWN = new Set(Object.keys(functionSchema.shape));
/** Options that Inngest has and the stand-in hasn't, by the name under which a person wrote them. */
const UNSUPPORTED: Readonly<Record<string, string>> = { cancel: "cancelOn" };

/** A function that was read, or the problems with it, each naming the function and the option. */
export type FunctionReading =
  | { readonly config: FunctionConfig; readonly problems?: never }
  | { readonly config?: never; readonly problems: readonly string[] };

/** Reads one function of a registration. */
export function readFunctionConfig(raw: unknown): FunctionReading {
  const id = typeof raw === "object" && raw !== null && "id" in raw ? String(raw.id) : "(no id)";
  const refuse = (problem: string) => `function "${id}": ${problem}`;
  const unsupported = unsupportedOptions(raw).map((option) =>
    refuse(`the option "${option}" is not supported by inngest-local; use the Inngest server for it`),
  );
  if (unsupported.length > 0) return { problems: unsupported };
  const parsed = functionSchema.safeParse(raw);
  if (!parsed.success) {
    const { issues } = parsed.error;
    return {
      problems: issues.map(({ path, message }) => refuse(`the option "${path.join(".")}": ${message}`)),
    };
  }
  const config = parsed.data;
  const step = Object.values(config.steps)[0];
  if (step === undefined) return { problems: [refuse("it has no step to call")] };
  const events = config.triggers.flatMap((trigger) =>
    "event" in trigger ? [{ event: trigger.event, expression: trigger.expression ?? undefined }] : [],
  );
  const crons = config.triggers.flatMap((trigger) => ("cron" in trigger ? [trigger.cron] : []));
  const batchTimeout = parseDuration(config.batchEvents?.timeout ?? "1s");
  const result: FunctionConfig = {
    id: config.id,
    name: config.name ?? config.id,
    url: step.runtime.url,
    events,
    crons,
    maxAttempts: (step.retries?.attempts ?? DEFAULT_RETRIES) + 1,
    concurrency: readConcurrency(config.concurrency),
    batch: config.batchEvents
      ? {
          maxSize: config.batchEvents.maxSize,
          timeout: batchTimeout ?? 0,
          key: config.batchEvents.key ?? undefined,
          condition: config.batchEvents.if ?? undefined,
        }
      : undefined,
    idempotency: config.idempotency ?? undefined,
  };
  const problems = checkTexts(result).map(refuse);
  if (batchTimeout === undefined || batchTimeout < 1_000) {
    problems.push(refuse(`the option "batchEvents.timeout" must be a duration of at least 1s`));
  }
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

/** A limit of 0 means none, as it does on the server. */
function readConcurrency(raw: RawConcurrency): ConcurrencyLimit[] {
  if (raw === undefined || raw === null) return [];
  const list =
    typeof raw === "number" ? [{ limit: raw, scope: "fn" as const }] : Array.isArray(raw) ? raw : [raw];
  return list
    .filter(({ limit }) => limit > 0)
    .map((entry) => ({
      limit: entry.limit,
      scope: entry.scope,
      key: "key" in entry ? entry.key : undefined,
    }));
}

/** Compiles every expression and cron pattern once, so that a bad one is refused here and not met later. */
function checkTexts(config: FunctionConfig): string[] {
  const expressions: [string, string | undefined][] = [
    ...config.events.map(({ expression }): [string, string | undefined] => ["triggers.if", expression]),
    ...config.concurrency.map(({ key }): [string, string | undefined] => ["concurrency.key", key]),
    ["batchEvents.key", config.batch?.key],
    ["batchEvents.if", config.batch?.condition],
    ["idempotency", config.idempotency],
  ];
  const checks: [string, () => unknown][] = [
    ...expressions.flatMap(([option, text]): [string, () => unknown][] =>
      text === undefined ? [] : [[option, () => compileExpression(text)]],
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
