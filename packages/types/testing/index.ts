export { arbitraryOf, type JsonSchema } from "./json-schema-arbitrary.ts";
