import { createHash } from "node:crypto";

const OF_ANY_RESPONSE = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  // For browsers that do not know frame-ancestors.
  "x-frame-options": "DENY",
} as const;

/**
 * Headers of every response that is not a page. A browser may not guess another content type, embed the response, let
 * another site read it, or run scripts in it.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  ...OF_ANY_RESPONSE,
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
};

/**
 * Headers of a page without scripts. Only these inline styles are applied, each the exact content of a `style` element.
 *
 * @param options.hasForms true if the page may send forms, to its own server only
 */
export function pageHeaders(
  styles: readonly string[],
  { hasForms = false }: { readonly hasForms?: boolean } = {},
): Readonly<Record<string, string>> {
  const hashes = styles.map((style) => `'sha256-${createHash("sha256").update(style).digest("base64")}'`);
  const styleSource = hashes.length === 0 ? "" : `style-src ${hashes.join(" ")}; `;
  const formAction = hasForms ? "'self'" : "'none'";
  return {
    ...OF_ANY_RESPONSE,
    "content-security-policy": `default-src 'none'; ${styleSource}base-uri 'none'; form-action ${formAction}; frame-ancestors 'none'`,
  };
}

/**
 * Headers of a page that loads scripts and styles from its own server and calls nothing else. Inline scripts and `eval` are
 * refused, also those of the scripts that it loads.
 *
 * @param options.styleHashes the inline styles that are applied, by the Base64 of their SHA-256
 * @param options.hasBlobWorkers true if its scripts may start workers whose code they contain
 */
export function scriptedPageHeaders({
  styleHashes = [],
  hasBlobWorkers = false,
}: {
  readonly styleHashes?: readonly string[];
  readonly hasBlobWorkers?: boolean;
} = {}): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    ["style-src 'self'", ...styleHashes.map((hash) => `'sha256-${hash}'`)].join(" "),
    "img-src 'self' data:",
    "connect-src 'self'",
    ...(hasBlobWorkers ? ["worker-src blob:"] : []),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return { ...OF_ANY_RESPONSE, "content-security-policy": policy.join("; ") };
}
