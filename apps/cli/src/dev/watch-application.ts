import { sep } from "node:path";
import { watch } from "chokidar";

/** A watch on the files of an application. */
export interface ApplicationWatch {
  /** Watches another file, which may be outside the folder. */
  add(file: string): void;
  close(): Promise<void>;
}

const SOURCE = /\.([cm]?[jt]sx?|json|sql)$/;

/**
 * Watches the sources below a folder: code, JSON and SQL. Packages and hidden folders are left out, `.synap` among them.
 * Resolves when a change can no longer be missed.
 */
export async function watchApplication(
  folder: string,
  onChange: (file: string) => void,
): Promise<ApplicationWatch> {
  const isLeftOut = (path: string) =>
    path.startsWith(folder + sep) &&
    path
      .slice(folder.length)
      .split(sep)
      .some((part) => part === "node_modules" || part === "dist" || part.startsWith("."));
  const watcher = watch(folder, {
    ignoreInitial: true,
    ignored: (path, stats) => isLeftOut(path) || (stats?.isFile() === true && !SOURCE.test(path)),
  });
  watcher.on("all", (_event, path) => {
    if (SOURCE.test(path)) onChange(path);
  });
  // Errors of single files, such as an editor's temporary file or a folder without permission, don't stop the watch.
  watcher.on("error", (error) => console.error(`watching: ${String(error)}`));
  await new Promise<void>((resolve) => watcher.once("ready", resolve));
  return {
    add: (file) => void watcher.add(file),
    close: () => watcher.close(),
  };
}
