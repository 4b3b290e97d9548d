export { type ApiConfiguration, ConfigurationError, readApiConfiguration } from "./configuration.ts";
export { createInngestClient, type InngestClientOptions } from "./publisher/event-api.ts";
export { type ApiParts, type RunningApi, startApi } from "./server.ts";
