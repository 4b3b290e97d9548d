/** A URL as it may be shown to people and kept in files; anything else as it is. */
export function withoutPassword(where: string): string {
  if (!URL.canParse(where)) return where;
  const url = new URL(where);
  if (url.password !== "") url.password = "***";
  return url.href;
}
