/** The problem documents of the API. `declarations.ts` writes them out for the installed client. */
export type { ProblemCode, ProblemDocument, ProblemOf } from "@synap/types/http";
