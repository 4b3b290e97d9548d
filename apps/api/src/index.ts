export { type ApiConfiguration, readApiConfiguration } from "./configuration.ts";
export { type ApiDependencies, type RunningApi, startApi } from "./server.ts";
