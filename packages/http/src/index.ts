export {
  type CallerCheck,
  type CallerFault,
  type CallerPolicy,
  createCallerCheck,
  isLoopback,
  type RequestHead,
  readAllowedHosts,
} from "./caller-check.ts";
export { pageHeaders, SECURITY_HEADERS } from "./security-headers.ts";
