export { naivelyInForce } from "./bitemporal-model.ts";
export { arbitraryOf, type JsonSchema } from "./json-schema-arbitrary.ts";
export { eventOfBytes, type Filling, fillings } from "./largest-event.ts";
export { newerCatalogue, parcelSent } from "./newer-catalogue.ts";
export { thrownValues } from "./thrown-values.ts";
