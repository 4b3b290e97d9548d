import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type ArchiveDestination, InvalidArchiveUrlError, partsOfName } from "./archive-destination.ts";
import type { ArchiveFormat, ArchiveFormatName } from "./archive-format.ts";
import { openFolder } from "./destinations/folder.ts";
import { openS3 } from "./destinations/s3.ts";
import { createS3Client, type S3Environment } from "./destinations/s3-client.ts";
import { ndjson } from "./formats/ndjson.ts";
import { parquet } from "./formats/parquet.ts";

const FORMATS: Readonly<Record<ArchiveFormatName, ArchiveFormat>> = { "ndjson.zst": ndjson, parquet };

/** The format of this name. */
export function archiveFormat(name: ArchiveFormatName): ArchiveFormat {
  return FORMATS[name];
}

/**
 * The destination at a path (absolute, or relative to the working directory), a `file:///...` URL, or `s3://bucket/prefix`. Nothing is made or
 * asked before it is used. A bucket takes from the environment who asks, and where: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`,
 * `AWS_REGION`, and `AWS_ENDPOINT_URL_S3` for another store than AWS. Throws `InvalidArchiveUrlError`.
 */
export function openArchiveDestination(
  url: string,
  environment: S3Environment = process.env,
): ArchiveDestination {
  if (url === "") throw new InvalidArchiveUrlError("An archive needs a path or a URL.");
  const [, scheme] = /^([a-z][a-z0-9+.-]+):/i.exec(url) ?? [];
  if (scheme === undefined) return openFolder(resolve(url));
  switch (scheme.toLowerCase()) {
    case "file":
      return openFolder(pathOf(url));
    case "s3":
      return openBucket(url, environment);
    default:
      throw new InvalidArchiveUrlError(`${scheme}: is no scheme of an archive. A path, file: and s3: are.`);
  }
}

function openBucket(url: string, environment: S3Environment): ArchiveDestination {
  const [, bucket, prefix] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([^?#]*))?$/i.exec(url) ?? [];
  // A URL may have a password in it, which a message must not repeat.
  if (bucket === undefined) throw new InvalidArchiveUrlError("The archive is not s3://BUCKET/PREFIX.");
  const parts = (prefix ?? "").replace(/\/$/, "");
  if (parts !== "") partsOfPrefix(parts);
  return openS3(createS3Client(bucket, environment), parts);
}

function partsOfPrefix(prefix: string): void {
  try {
    partsOfName(prefix);
  } catch (cause) {
    throw new InvalidArchiveUrlError(`${JSON.stringify(prefix)} can't be a prefix in a bucket.`, { cause });
  }
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new InvalidArchiveUrlError(`${url} is no URL of a folder.`, { cause });
  }
}
