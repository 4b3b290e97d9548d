/**
 * The parts that Synap's own packages share beyond the contract: the envelope, validation of JSON, text and times, and
 * messages. It may change in any release.
 */

export { type AmendableEvent, amendmentIssue, archivedAmendmentIssue } from "./amendments/amendments.ts";
export { markAmended } from "./amendments/events-in-force.ts";
export { type BrokerChoiceFault, checkBrokerChoice } from "./broker-choice.ts";
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
} from "./event/envelope.ts";
export { createEventId } from "./event/event-id.ts";
export { eventBytes } from "./event/event-size.ts";
export { camelName, SNAKE_CASE_FIELDS, snakeEventInputSchema, snakeName } from "./event/snake-case.ts";
export { checkExpectedVersion, describeStream, meetsExpectation, streamKey } from "./event/stream-name.ts";
export { isEventTypeName, KEPT_TEXT } from "./event/synap-event.ts";
export { TIMESTAMP_FORM, type TimestampFaultCode, type TimestampReading } from "./event/timestamp.ts";
export {
  checkTimestampWindow,
  DEFAULT_AHEAD_MS,
  DEFAULT_LATENESS_MS,
  type TimestampWindow,
} from "./event/timestamp-window.ts";
export { readTraceContext, withTraceContext } from "./event/trace-context.ts";
export { describeEventType, describeEventTypes } from "./event-types/describe-event-type.ts";
export { MAX_EVENT_FIELDS } from "./event-types/read-event.ts";
export {
  allEventTypes,
  findEventType,
  madeOfTypes,
  readWithRegistered,
} from "./event-types/registered-types.ts";
export { isNewerVersion, upcastEvent } from "./event-types/upcast-event.ts";
export { count, counted } from "./issues/counted.ts";
export { formatPath } from "./issues/issue-path.ts";
export { didYouMean, nearMatches } from "./issues/near-match.ts";
export { findTextFault, type TextFault } from "./issues/text-fault.ts";
export {
  cleanText,
  isErrorValue,
  readProperty,
  type ThrownFacts,
  thrownFacts,
} from "./issues/thrown-facts.ts";
export { describeZodIssues, zodFaults, zodReason } from "./issues/zod-reason.ts";
export { checkJson, DEFAULT_MAX_DEPTH, DEFAULT_MAX_VALUES, type JsonLimits } from "./json/check-json.ts";
export { deepFreeze } from "./json/deep-freeze.ts";
export { ChangingSchemaError, describeUnchanging } from "./json/describe-unchanging.ts";
export { frozenCopy } from "./json/frozen-copy.ts";
export { HIDDEN_TEXT } from "./personal/personal-fields.ts";
export { MAX_SUBJECT_LENGTH } from "./personal/personal-issues.ts";
export {
  type PersonalValue,
  personalValues,
  pointerTo,
  type Replacement,
  replaceValues,
  subjectOf,
  type ValueStep,
} from "./personal/personal-values.ts";
export { isSealedValue, type SealedValue } from "./personal/sealed-value.ts";
