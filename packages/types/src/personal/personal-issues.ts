import type { SynapEvent } from "../event/event.ts";
import type { EventIssue } from "../issues/event-issue.ts";
import { formatPath } from "../issues/issue-path.ts";
import type { PersonalField } from "./personal-fields.ts";
import { type PersonalValue, personalValues, subjectOf, type ValueStep } from "./personal-values.ts";
import { isSealedValue } from "./sealed-value.ts";

/** Maximum length of the name of a subject, in characters. */
export const MAX_SUBJECT_LENGTH = 255;

/** Finds personal values that say nothing about whose they are, and sealed ones where only plain ones are taken. */
export function personalIssues(
  fields: readonly PersonalField[],
  event: Pick<SynapEvent, "userId" | "aggregateId" | "data">,
  { acceptsSealed }: { readonly acceptsSealed: boolean },
): EventIssue[] {
  return personalValues(fields, event.data).flatMap((value): EventIssue[] => {
    const path = formatPath(["data", ...value.path]);
    if (isSealedValue(value.value)) {
      const reason = "has the form of a sealed value, which Synap alone makes";
      return acceptsSealed ? [] : [{ path, code: "not-allowed", reason }];
    }
    const subject = subjectOf(event, value);
    if (subject !== undefined && subject.length <= MAX_SUBJECT_LENGTH) return [];
    const fault =
      subject === undefined
        ? { code: "missing", reason: `is required: it says whose data ${path} is` }
        : {
            code: "too-big",
            reason: `says whose data ${path} is, so it must have at most ${MAX_SUBJECT_LENGTH} characters`,
          };
    return [{ path: formatPath(placeOf(value)), ...fault }];
  });
}

function placeOf({ field: { subject }, path }: PersonalValue): readonly ValueStep[] {
  return "event" in subject ? [subject.event] : ["data", ...path.slice(0, subject.depth), subject.name];
}

/** True if a path leads to one of these values, or into it. */
export function leadsInto(values: readonly PersonalValue[], path: readonly PropertyKey[]): boolean {
  return values.some((value) => value.path.every((step, index) => path[index] === step));
}
