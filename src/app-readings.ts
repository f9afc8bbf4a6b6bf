/** What metrics and the monitor's charts read of the running parts, put together when they ask. */
import type { BackendDirectory } from './engines/backend.ts';
import type { Dispatcher } from './gateway/dispatcher.ts';
import type { HistorySample } from './store/history.ts';
import type { RequestTable } from './store/requests.ts';
import type { MetricReadings } from './telemetry/metrics.ts';

export interface ReadingSources {
  readonly dispatcher: Dispatcher;
  readonly backends: BackendDirectory;
  readonly requests: RequestTable;
}

export function readMetrics({ dispatcher, backends, requests }: ReadingSources): MetricReadings {
  return {
    scheduler: dispatcher.snapshot(0),
    requestsInFlight: requests.inFlightCount,
    probes: new Map(backends.list().map(({ id, probe }) => [id, probe])),
  };
}

export function readHistorySample(dispatcher: Dispatcher, requests: RequestTable): HistorySample {
  const { backends, queuedTotal } = dispatcher.snapshot(0);
  const { total } = requests.traffic();
  let slotsUsed = 0;
  let slotsTotal = 0;
  for (const { view, inFlight, lingering, foreign } of backends.values()) {
    if (view.state !== 'live' && view.state !== 'degraded') continue;
    slotsUsed += inFlight + lingering + foreign;
    slotsTotal += view.slotsTotal;
  }
  return {
    requestsPerMinute: total.requestsPerMinute,
    outputTokensPerSecond: total.outputTokensPerSecond,
    queued: queuedTotal,
    slotsUsed,
    slotsTotal,
  };
}
