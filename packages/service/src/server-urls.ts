/** The URLs of a database server in the environment of a process. */
export interface ServerUrls {
  /** DATABASE_URL. */
  readonly url: string;
  /** DATABASE_DIRECT_URL: the same database past a connection pooler. */
  readonly directUrl?: string;
}

/** Reads the URLs of the database server. Undefined where there is none. An empty variable counts as unset. */
export function readServerUrls(variables: NodeJS.ProcessEnv): ServerUrls | undefined {
  const { DATABASE_URL: url, DATABASE_DIRECT_URL: directUrl } = variables;
  if (!url) return undefined;
  return { url, ...(directUrl && { directUrl }) };
}
