/**
 * A schema as `synap.check_issues` runs it: its parts, which refer to one another by index. The data is checked against the
 * first one. Stored as jsonb in `synap.event_types`.
 */
export type CheckPlan = readonly CheckNode[];

/** The index of a node. */
export type NodeIndex = number;

/** One part of a schema. A value must satisfy all that is set; a node in which nothing is set accepts any value. */
export interface CheckNode {
  /** The kinds of JSON values that are accepted. None: the value is never accepted. */
  kinds?: readonly JsonKind[];
  /** The code of a value of another kind. Default `wrong-type`. */
  code?: string;
  /** The accepted kinds, for people: "a string". */
  what?: string;
  rules?: Rule[];
  /** The named fields of an object. */
  properties?: Record<string, NodeIndex>;
  /** Names of the fields that must be there. */
  required?: readonly string[];
  /** The node of fields that `properties` does not name; false if there may be none. Absent: they may hold anything. */
  additional?: NodeIndex | false;
  /** The node of the names of those fields. */
  keys?: NodeIndex;
  /** True if fields whose names don't satisfy `keys` are accepted as they are. */
  loose?: true;
  /** The node of the items of an array, which is only examined up to `cap` items. */
  items?: NodeIndex;
  cap?: number;
  tuple?: {
    readonly prefix: readonly NodeIndex[];
    /** The number of items without which none is examined. */
    readonly least: number;
    /** The places where an item must be. */
    readonly needed: readonly number[];
    readonly rest: NodeIndex | null;
  };
  /** The node of a value that is not null. */
  nullable?: NodeIndex;
  /** Nodes of which one must accept the value (`any`), exactly one (`one`), or every one (`all`). */
  forms?: readonly NodeIndex[];
  choice?: "any" | "one" | "all";
  /** The forms that can accept a value, by its kind. The others need not be tried. */
  candidates?: Record<JsonKind, readonly NodeIndex[]>;
  /** The node that a field of the value selects. */
  route?: { readonly by: string; readonly to: Record<string, NodeIndex>; readonly absent: NodeIndex | null };
}

export const JSON_KINDS = ["string", "number", "boolean", "null", "array", "object"] as const;
/** The kinds of JSON values, as `jsonb_typeof` names them. */
export type JsonKind = (typeof JSON_KINDS)[number];

/** A condition on a value. It does not concern values of other kinds. */
export interface Rule {
  readonly is: RuleName;
  readonly code: string;
  readonly reason: string;
  /** The limit of a number, a length, or a count. */
  readonly limit?: number;
  /** The pattern, or the text. */
  readonly text?: string;
  /** True if the text is matched in UTF-16 code units. */
  readonly utf16?: true;
  /** The allowed or refused values. */
  readonly values?: readonly (string | number | boolean | null)[];
  /** True if Zod gives up on a value that violates it: no form of a union is then nearly met. */
  readonly aborts?: true;
  /** True if it says nothing about a value in which something else is wrong. */
  readonly last?: true;
  /** True if it concerns whole numbers only. */
  readonly whole?: true;
}

export type RuleName =
  | "min-size"
  | "max-size"
  | "min-fields"
  | "max-fields"
  | "distinct"
  | "pattern"
  | "starts"
  | "ends"
  | "contains"
  | "moment"
  | "whole"
  | "min"
  | "above"
  | "max"
  | "below"
  | "multiple"
  | "one-of"
  | "none-of";
