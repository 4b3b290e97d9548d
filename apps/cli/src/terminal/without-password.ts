/** A URL without its password, for output and files; other text is returned unchanged. */
export function withoutPassword(where: string): string {
  if (!URL.canParse(where)) return where;
  const url = new URL(where);
  if (url.password !== "") url.password = "***";
  return url.href;
}
