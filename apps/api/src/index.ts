export { type ApiConfiguration, apiVariables, readApiConfiguration } from "./configuration.ts";
export { type ApiOptions, type RunningApi, startApi } from "./server.ts";
