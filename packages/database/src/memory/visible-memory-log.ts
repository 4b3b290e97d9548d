import { isVisible, type Visibility, visibleValue } from "../visibility/visibility.ts";
import type { MemoryLog, ShownLog } from "./memory-log.ts";

/** The part of a log in memory that a caller may see. @throws RangeError as `visibleValue` */
export function visibleMemoryLog(log: MemoryLog, visibility: Visibility): ShownLog {
  if ("all" in visibility) return log;
  visibleValue(visibility);
  return {
    get events() {
      return log.events.filter((event) => isVisible(event, visibility));
    },
    get watermark() {
      return log.watermark;
    },
    findById: (id) => {
      const found = log.findById(id);
      return found !== undefined && isVisible(found, visibility) ? found : undefined;
    },
    findStream: (name) => {
      const stream = log.findStream(name);
      const [first] = stream?.events ?? [];
      if (stream === undefined || first === undefined || !isVisible(first, visibility)) return undefined;
      const events = stream.events.filter(
        (event) => event.userId === undefined || isVisible(event, visibility),
      );
      return { ...stream, events };
    },
  };
}
