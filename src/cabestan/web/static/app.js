// Starts what makes a page live. Every page is whole without it.
import { startActions } from "./actions.js";
import { startGroups } from "./groups.js";
import { startJournal } from "./journal.js";
import { startLive } from "./live.js";
import { startLogs } from "./logs.js";
import { startTimes } from "./times.js";

startActions();
startTimes();
startGroups();
startLive();
startLogs(document);
startJournal(document);
