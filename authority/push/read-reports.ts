import type { Clock } from '#daemon/clock';
import type { AgentConnection, AgentReport } from './hub.ts';

/** An agent has something to report when a state has come, which is every 20 ms at most; one that says more is read no faster than this. */
const MIN_REPORT_INTERVAL_MS = 5;

/** Takes in what an agent reports until its side of the stream ends; then the whole stream does. */
export async function readReports(reports: AsyncIterable<AgentReport>, connection: AgentConnection, clock: Clock): Promise<void> {
  try {
    for await (const report of reports) {
      connection.report(report);
      await new Promise<void>((resolve) => clock.after(MIN_REPORT_INTERVAL_MS, resolve));
    }
  } finally {
    connection.close();
  }
}
