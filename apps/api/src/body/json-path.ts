const PLAIN_FIELD = /^[A-Za-z_$][\w$]*$/;
const LONGEST_FIELD = 64;

/** Writes the way to a value as the issues of events do: `data.tags[0]`, `data["odd name"]`. Long names are cut. */
export function writeJsonPath(segments: readonly (string | number)[]): string {
  let path = "";
  for (const segment of segments) {
    if (typeof segment === "number") path += `[${segment}]`;
    else if (segment.length > LONGEST_FIELD)
      path += `[${JSON.stringify(`${segment.slice(0, LONGEST_FIELD)}…`)}]`;
    else if (!PLAIN_FIELD.test(segment)) path += `[${JSON.stringify(segment)}]`;
    else path += path === "" ? segment : `.${segment}`;
  }
  return path;
}
