export { type ApiConfiguration, readApiConfiguration } from "./configuration.ts";
export { type ApiParts, type RunningApi, startApi } from "./server.ts";
