import { duration } from "./numbers.ts";

/** Formats the age of a moment: "3.2 s ago". */
export function age(moment: string): string {
  return `${duration(Math.max(0, Date.now() - Date.parse(moment)))} ago`;
}
