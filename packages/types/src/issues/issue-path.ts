const PLAIN_FIELD = /^[A-Za-z_$][\w$]*$/;
const MAX_FIELD_LENGTH = 64;

/**
 * Formats the path to a field as in code: `data.tags[0]`, `data["odd name"]`. Field names longer than
 * 64 characters are cut, so that a hostile event cannot cause a response as large as itself.
 */
export function formatPath(segments: readonly PropertyKey[]): string {
  let path = "";
  for (const segment of segments) {
    if (typeof segment === "number") path += `[${segment}]`;
    else path += formatField(String(segment), path === "");
  }
  return path;
}

function formatField(name: string, isFirst: boolean): string {
  if (name.length > MAX_FIELD_LENGTH) return `[${JSON.stringify(`${name.slice(0, MAX_FIELD_LENGTH)}…`)}]`;
  if (!PLAIN_FIELD.test(name)) return `[${JSON.stringify(name)}]`;
  return isFirst ? name : `.${name}`;
}
