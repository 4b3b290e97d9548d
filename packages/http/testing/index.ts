export { askWithoutReading, everythingOn, openConnection } from "./raw-connection.ts";
export { type RawRequest, type RawResponse, requestRaw } from "./raw-request.ts";
export { postChunked, UNSOUND_FRAMING } from "./unsound-framing.ts";
