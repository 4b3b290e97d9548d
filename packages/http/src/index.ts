export {
  type CallerCheck,
  type CallerFault,
  type CallerPolicy,
  createCallerCheck,
  isLoopback,
  type RequestHead,
  readAllowedHosts,
} from "./caller-check.ts";
export { type BodyHead, isJsonOrEmpty } from "./json-body.ts";
export { KEEP_ALIVE_MS, type Listening, type ListenOptions, listen } from "./listen.ts";
export { pageHeaders, SECURITY_HEADERS } from "./security-headers.ts";
