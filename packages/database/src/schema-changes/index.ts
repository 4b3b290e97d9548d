export {
  type CodeRule,
  type ComparedSchema,
  compareSchemas,
  type SchemaFinding,
  sampleDocuments,
} from "./compare-schemas.ts";
export {
  createJsonJudge,
  escapeToken,
  isCheckedFormat,
  JsonSchemaError,
  type JudgeVerdict,
} from "./json-judge.ts";
export { canonicalText, sortKeys } from "./json-schema.ts";
export { createRandom } from "./random.ts";
export { createSampler } from "./sample-values.ts";
