// Starts what makes a page live. Every page is whole without it.
import { startActions } from "./actions.js";
import { startLive } from "./live.js";
import { LogView } from "./log.js";
import { startTimes } from "./times.js";

startActions();
startTimes();
startLive();
for (const section of document.querySelectorAll("[data-log]")) new LogView(section).start();
