export { arbitraryOf, type JsonSchema } from "./json-schema-arbitrary.ts";
export { newerCatalogue, parcelSent } from "./newer-catalogue.ts";
