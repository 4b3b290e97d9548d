import { checkMoment, checkPast } from "@synap/types";

/** The moment of the past that a read model is asked about: how it was, or what was known. A Date, or text of RFC 3339. */
export interface PastMoment {
  /** As it was at this moment, by when events were stored. Not together with the others. */
  readonly asOf?: Date | string | undefined;
  /** As it was known at this moment, with corrections applied. Default, with `validAt`: as it is known now. */
  readonly knownAt?: Date | string | undefined;
  /** As it held at this moment, by the validity of the events. Default, with `knownAt`: the same moment. */
  readonly validAt?: Date | string | undefined;
}

/** The same, once it is checked. */
export interface AskedPast {
  /** The moment by which events were recorded, to count. Default: all that are stored. */
  readonly recordedBy: Date | undefined;
  /** The moment that the rows are about. */
  readonly about: Date;
  /** True to fold the events in force, as known then, that hold at the moment. Otherwise all events, as they were stored. */
  readonly isKnown: boolean;
}

/**
 * Checks what a caller asks of the past of a read model. Undefined if he asks for the present.
 *
 * @throws InvalidMomentError; MomentInFutureError, but not for `validAt`; RangeError for `asOf` together with one of the others
 */
export function askedPast({ asOf, knownAt, validAt }: PastMoment): AskedPast | undefined {
  if (asOf !== undefined && (knownAt !== undefined || validAt !== undefined)) {
    throw new RangeError("Give asOf, or knownAt and validAt.");
  }
  if (asOf !== undefined) {
    const moment = checkPast("asOf", asOf);
    return { recordedBy: moment, about: moment, isKnown: false };
  }
  const recordedBy = knownAt === undefined ? undefined : checkPast("knownAt", knownAt);
  const about = validAt === undefined ? recordedBy : checkMoment("validAt", validAt);
  return about === undefined ? undefined : { recordedBy, about, isKnown: true };
}
