export { readAccept } from "./accept.ts";
export {
  type CallerCheck,
  type CallerFault,
  type CallerPolicy,
  createCallerCheck,
  isLoopback,
  type RequestHead,
  readAllowedHosts,
  SAFE_METHODS,
  type Sender,
  senderOf,
} from "./caller-check.ts";
export { type BodyHead, isJsonOrEmpty, isPlain } from "./json-body.ts";
export { KEEP_ALIVE_MS, type Listening, type ListenOptions, listen } from "./listen.ts";
export { isUtf8, type MediaType, readMediaType } from "./media-type.ts";
export { readPrefer } from "./prefer.ts";
export { type RequestFault, type RequestFrame, requestFault } from "./request-fault.ts";
export {
  countMembers,
  endOfString,
  type JsonBounds,
  type JsonScan,
  jsonFault,
  scanJson,
} from "./scan-json.ts";
export { pageHeaders, SECURITY_HEADERS, scriptedPageHeaders } from "./security-headers.ts";
