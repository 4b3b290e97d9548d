import { z } from "zod";
import { batchResult, issue } from "./events.ts";
import { isProblemCode, PROBLEM_CODES, type ProblemCode } from "./problem-codes.ts";
import { handlerProcessing } from "./processing.ts";
import { tableDifference } from "./projections.ts";
import { expectedVersion } from "./streams.ts";

/** A problem document of RFC 9457: the answer to every refused request. */
export const problem = z.looseObject({
  type: z.string().describe("`/problems/` and the code."),
  title: z.string(),
  status: z.number().int(),
  code: z.enum(Object.keys(PROBLEM_CODES).filter(isProblemCode)),
  detail: z.string(),
  instance: z.string().describe("The id of the request, also in the header X-Request-Id and in the log."),
  errors: z.array(issue).optional(),
  results: z.array(batchResult).optional().describe("For a batch: the outcome of each event."),
});

const limit = z.object({ limit: z.number().int() });

/** The additional members of the problem documents of some codes. */
export const PROBLEM_MEMBERS = {
  "optimistic-lock": z.object({ expectedVersion, actualVersion: z.number().int() }),
  "command-refused": z.object({ rule: z.string() }),
  "handler-refused": z.object({ handler: z.string() }),
  "transaction-ended": z.object({ handler: z.string().optional() }),
  "batch-rejected": z.object({ results: z.array(batchResult) }),
  "cutover-refused": z.object({
    lagEvents: z.number().int(),
    difference: z.array(tableDifference).optional(),
  }),
  "nothing-to-resolve": z.object({ state: handlerProcessing.shape.state.optional() }),
  "body-too-large": limit,
  "batch-too-large": limit,
  "too-many-tails": limit,
} as const satisfies Partial<Record<ProblemCode, z.ZodType>>;

/** A problem document whose additional members depend on its code. */
export type ProblemDocument = { [Code in ProblemCode]: ProblemOf<Code> }[ProblemCode];

/** The problem document of one code. */
export type ProblemOf<Code extends ProblemCode> = ProblemBase & {
  readonly code: Code;
} & (Code extends keyof typeof PROBLEM_MEMBERS ? z.output<(typeof PROBLEM_MEMBERS)[Code]> : unknown);

interface ProblemBase {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly errors?: readonly z.output<typeof issue>[];
  readonly results?: readonly z.output<typeof batchResult>[];
}
