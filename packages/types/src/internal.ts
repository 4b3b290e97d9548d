/**
 * The parts that Synap's own packages share beyond the contract: the envelope, validation of JSON, text and times, and
 * messages. It may change in any release.
 */

export { type BrokerChoiceFault, checkBrokerChoice } from "./broker-choice.ts";
export { checkJson, DEFAULT_MAX_DEPTH, DEFAULT_MAX_VALUES, type JsonLimits } from "./check-json.ts";
export { count, counted } from "./counted.ts";
export { deepFreeze } from "./deep-freeze.ts";
export { ChangingSchemaError, describeUnchanging } from "./describe-unchanging.ts";
export {
  ENVELOPE_EVENT_NAME,
  type Envelope,
  type EnvelopeSummary,
  INNGEST_APP_ID,
  MAX_ENVELOPE_BYTES,
  MAX_ENVELOPE_EVENTS,
  MAX_PACKED_JSON_BYTES,
  type PackedEnvelope,
  type PlainEnvelope,
} from "./envelope.ts";
export { createEventId } from "./event-id.ts";
export { frozenCopy } from "./frozen-copy.ts";
export { formatPath } from "./issue-path.ts";
export { didYouMean, nearMatches } from "./near-match.ts";
export { MAX_EVENT_FIELDS } from "./read-event.ts";
export { checkExpectedVersion, describeStream, streamKey } from "./stream-name.ts";
export { findTextFault, type TextFault } from "./text-fault.ts";
export { cleanText, isErrorValue, readProperty, type ThrownFacts, thrownFacts } from "./thrown-facts.ts";
export { TIMESTAMP_FORM, type TimestampFaultCode, type TimestampReading } from "./timestamp.ts";
export {
  checkTimestampWindow,
  DEFAULT_AHEAD_MS,
  DEFAULT_LATENESS_MS,
  type TimestampWindow,
} from "./timestamp-window.ts";
export { describeZodIssues, zodFaults, zodReason } from "./zod-reason.ts";
