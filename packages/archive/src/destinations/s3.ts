import {
  type ArchiveDestination,
  type ArchiveFile,
  ArchiveFileMissingError,
  partsOfName,
} from "../archive-destination.ts";
import type { S3Client } from "./s3-client.ts";
import { elementsOf, textOf } from "./s3-xml.ts";

/** A file below this is sent as a whole, a longer one in parts of it. S3 permits 10,000 parts, which makes 156 GiB. */
const PART_BYTES = 16 * 1024 * 1024;

/** A bucket of an S3-compatible store, below a prefix, as the destination of an archive. The bucket must exist. */
export function openS3(client: S3Client, prefix: string): ArchiveDestination {
  const url = `s3://${client.bucket}${prefix === "" ? "" : `/${prefix}`}`;
  const keyOf = (name: string) => [...(prefix === "" ? [] : [prefix]), ...partsOfName(name)].join("/");

  async function write(name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const key = keyOf(name);
    await endUploads(key);
    let upload: string | undefined;
    const etags: string[] = [];
    try {
      for await (const { bytes, isLast } of inParts(content)) {
        if (isLast && upload === undefined) {
          await client.send("PUT", key, {}, bytes);
          return;
        }
        upload ??= await begin(key);
        const { headers } = await client.send(
          "PUT",
          key,
          { partNumber: `${etags.length + 1}`, uploadId: upload },
          bytes,
        );
        etags.push(headers.get("etag") ?? "");
      }
      if (upload !== undefined) await complete(key, upload, etags);
    } catch (error) {
      // The first error is what the caller must see; an upload that goes on existing is ended by the next write.
      if (upload !== undefined) await client.send("DELETE", key, { uploadId: upload }).catch(() => undefined);
      throw error;
    }
  }

  async function begin(key: string): Promise<string> {
    const response = await client.send("POST", key, { uploads: "" });
    return client.expectText(textOf(await response.text(), "UploadId"), "it named no upload");
  }

  async function complete(key: string, upload: string, etags: readonly string[]): Promise<void> {
    const parts = etags.map(
      (etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`,
    );
    const body = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
    const response = await client.send("POST", key, { uploadId: upload }, Buffer.from(body));
    // S3 begins to answer before it has finished: 200 can carry an error.
    const text = await response.text();
    client.expectText(textOf(text, "ETag"), textOf(text, "Message") ?? "it didn't complete an upload");
  }

  /** Ends uploads of this file that a killed process has begun: they are invisible, and are paid for. */
  async function endUploads(key: string): Promise<void> {
    try {
      const response = await client.send("GET", "", { uploads: "", prefix: key });
      for (const upload of elementsOf(await response.text(), "Upload")) {
        if (textOf(upload, "Key") !== key) continue;
        await client.send("DELETE", key, { uploadId: textOf(upload, "UploadId") ?? "" });
      }
    } catch {
      // Not every store and not every key permits it, and the file can be written all the same.
    }
  }

  async function* read(name: string): AsyncIterable<Uint8Array> {
    const found = await client.read(keyOf(name));
    if (found === undefined) throw new ArchiveFileMissingError(name, url);
    yield* found;
  }

  async function remove(name: string): Promise<void> {
    await client.send("DELETE", keyOf(name));
  }

  async function list(start: string): Promise<readonly ArchiveFile[]> {
    const files: ArchiveFile[] = [];
    const below = prefix === "" ? "" : `${prefix}/`;
    let after: string | undefined;
    do {
      const query = {
        "list-type": "2",
        prefix: below + start,
        ...(after && { "continuation-token": after }),
      };
      const text = await (await client.send("GET", "", query)).text();
      for (const object of elementsOf(text, "Contents")) {
        const name = (textOf(object, "Key") ?? "").slice(below.length);
        if (isName(name)) files.push({ name, bytes: Number(textOf(object, "Size")) });
      }
      after = textOf(text, "IsTruncated") === "true" ? textOf(text, "NextContinuationToken") : undefined;
    } while (after !== undefined);
    return files.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  return { url, write, read, list, remove };
}

/** True if an archive can have a file of this name. Others may have put more below the prefix. */
function isName(name: string): boolean {
  try {
    return partsOfName(name).length > 0;
  } catch {
    return false;
  }
}

/** The bytes in parts of one size, of which the last may be shorter. There is always one. */
async function* inParts(
  content: AsyncIterable<Uint8Array>,
): AsyncIterable<{ readonly bytes: Uint8Array; readonly isLast: boolean }> {
  let part = new Uint8Array(PART_BYTES);
  let length = 0;
  for await (const bytes of content) {
    for (let from = 0; from < bytes.length; ) {
      if (length === PART_BYTES) {
        yield { bytes: part, isLast: false };
        part = new Uint8Array(PART_BYTES);
        length = 0;
      }
      const taken = bytes.subarray(from, from + PART_BYTES - length);
      part.set(taken, length);
      length += taken.length;
      from += taken.length;
    }
  }
  yield { bytes: part.subarray(0, length), isLast: true };
}
