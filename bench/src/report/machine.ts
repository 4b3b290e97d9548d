import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";
import type { Machine } from "./report.ts";

/** Describes this machine. It names no host and no user, so that the result can be published. */
export function describeMachine(): Machine {
  const [first] = cpus();
  return {
    cpu: first?.model.trim() || `unknown ${arch()}`,
    cores: availableParallelism(),
    memoryBytes: memoryLimit(),
    os: operatingSystem(),
    node: process.versions.node,
    loadAverage: loadavg().map((load) => Math.round(load * 100) / 100),
  };
}

/** In a container the limit of the container, which is what a process meets. */
function memoryLimit(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

function operatingSystem(): string {
  const kernel = `${type()} ${release()} ${arch()}`;
  try {
    const [, name] = /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync("/etc/os-release", "utf8")) ?? [];
    return name === undefined ? kernel : `${name}, ${kernel}`;
  } catch {
    return kernel;
  }
}
