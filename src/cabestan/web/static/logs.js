// Starts the viewers of the logs on a page, also of those that come while it is open.
import { LogView } from "./log.js";

const started = new WeakSet();

export function startLogs(root) {
  for (const section of root.querySelectorAll("[data-log]")) {
    if (started.has(section)) continue;
    started.add(section);
    new LogView(section).start();
  }
}
