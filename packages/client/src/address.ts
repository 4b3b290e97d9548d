import { SynapProblem, SynapUrlError } from "./errors.ts";

type QueryValue = string | number | boolean | Date | readonly string[] | object | undefined;

/** The URL of an API as a client was given it. @throws SynapUrlError */
export function readUrl(url: string): string {
  // On a page, an address may be relative to it.
  const isOnPage = Reflect.get(globalThis, "location") !== undefined && /^(?:\/|$)/.test(url);
  if (isOnPage || (/^https?:\/\//i.test(url) && URL.canParse(url))) return url;
  throw new SynapUrlError(url);
}

/** Fills the names in braces in a path. @throws SynapProblem `parameter-invalid` for a value by which nothing could be reached */
export function fillPath(template: string, values: Readonly<Record<string, string | number>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(values[name] ?? "");
    const reason = faultOf(value);
    if (reason !== undefined) throw invalidParameter(name, reason);
    return encodeURIComponent(value);
  });
}

function faultOf(segment: string): string | undefined {
  if (segment === "") return "must not be empty";
  // `fetch` resolves them, and asks another address.
  if (segment === "." || segment === "..") return "must not be . or .., which are steps in a path";
  return segment.isWellFormed() ? undefined : "must not hold half of a surrogate pair";
}

/** The problem that the API would answer, could the request reach it. */
function invalidParameter(path: string, reason: string): SynapProblem {
  return new SynapProblem({
    type: "/problems/parameter-invalid",
    title: "A parameter is not valid",
    status: 400,
    code: "parameter-invalid",
    detail: `"${path}" ${reason}.`,
    instance: "",
    errors: [{ path, code: "parameter-invalid", reason }],
  });
}

function textOf(value: string | number | boolean | object): string {
  if (value instanceof Date) return value.toISOString();
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Writes query parameters, with the question mark. @throws RangeError for an empty list */
export function writeQuery(query: Readonly<Record<string, QueryValue>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    // Left out, it would select everything.
    if (Array.isArray(value) && value.length === 0)
      throw new RangeError(`"${name}" is an empty list. Leave it out for any.`);
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined) parameters.append(name, textOf(one));
    }
  }
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}
