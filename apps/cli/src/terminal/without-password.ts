/** Removes the password from a URL, for output and files. Other text is returned unchanged. */
export function withoutPassword(where: string): string {
  if (!URL.canParse(where)) return where;
  const url = new URL(where);
  if (url.password !== "") url.password = "***";
  return url.href;
}
