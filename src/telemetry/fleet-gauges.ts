/** What the scheduler, the probes and the processes are doing at the moment of a scrape, as gauges. Counts nothing itself. */
import { backendStates } from '../domain/backend-view.ts';
import type { MetricRegistry } from './metric-registry.ts';
import type { MetricReadings } from './metrics.ts';

const fleetGauges = [
  'llamero_prefix_blocks',
  'llamero_queue_depth_by_priority',
  'llamero_process_state',
  'llamero_backend_state',
  'llamero_backend_in_flight',
  'llamero_backend_slots',
  'llamero_backend_slots_free',
  'llamero_backend_slots_used',
  'llamero_backend_slots_busy',
  'llamero_backend_models_loaded',
  'llamero_backend_gpu_load_percent',
  'llamero_backend_probe_failures',
  'llamero_backend_probe_duration_seconds',
  'llamero_backend_probe_timestamp_seconds',
] as const;

const processStates = ['stopped', 'starting', 'ready', 'stopping', 'failed'] as const;

/** Backends that left the configuration must leave the page too, so the gauges start empty each time. */
export function setFleetGauges(registry: MetricRegistry, readings: MetricReadings): void {
  const { scheduler, requestsInFlight, connections } = readings;
  for (const name of fleetGauges) registry.gauge(name).reset();
  registry.gauge('llamero_connections').set({}, connections);
  registry.gauge('llamero_queue_depth').set({}, scheduler.queuedTotal);
  registry.gauge('llamero_requests_in_flight').set({}, requestsInFlight);
  registry.gauge('llamero_sessions').set({}, scheduler.sessions);
  registry.gauge('llamero_draining').set({}, scheduler.draining ? 1 : 0);
  setLostLines(registry, readings);
  setSpans(registry, readings);
  setCache(registry, readings);
  setPrompts(registry, readings);
  setPriorities(registry, scheduler);
  setBackends(registry, scheduler);
  setProbes(registry, readings);
  setProcesses(registry, readings);
}

/** Counted by the exporter; here they are only shown. */
function setCache(registry: MetricRegistry, { cache }: MetricReadings): void {
  for (const name of ['llamero_cache_entries', 'llamero_cache_bytes'] as const) registry.gauge(name).reset();
  if (cache === undefined) return;
  registry.gauge('llamero_cache_entries').set({}, cache.entries);
  registry.gauge('llamero_cache_bytes').set({}, cache.bytes);
}

/** Counted by the log; here they are only shown. */
function setLostLines(registry: MetricRegistry, { logLinesLost }: MetricReadings): void {
  const counter = registry.counter('llamero_log_lines_lost_total');
  counter.reset();
  counter.inc({}, logLinesLost);
}

function setSpans(registry: MetricRegistry, { spans }: MetricReadings): void {
  if (spans === undefined) return;
  const counter = registry.counter('llamero_trace_spans_total');
  counter.reset();
  counter.inc({ result: 'exported' }, spans.exported);
  counter.inc({ result: 'dropped' }, spans.dropped);
}

/** Counted by the scheduler; here they are only shown. */
function setPrompts(registry: MetricRegistry, { prompts }: MetricReadings): void {
  registry.gauge('llamero_prefix_blocks_max').set({}, prompts.blocksMax);
  registry.gauge('llamero_prefix_index_bytes').set({}, prompts.bytes);
  const results = registry.counter('llamero_prefix_prompts_total');
  const tokens = registry.counter('llamero_prefix_tokens_total');
  const lost = registry.counter('llamero_prefix_blocks_lost_total');
  for (const counter of [results, tokens, lost]) counter.reset();
  for (const [backend, { tally, caches }] of prompts.backends) {
    const { hits, misses, cold, untold } = tally;
    for (const [result, count] of Object.entries({ hit: hits, miss: misses, cold, untold })) {
      results.inc({ backend, result }, count);
    }
    tokens.inc({ backend, kind: 'prompt' }, tally.promptTokens);
    tokens.inc({ backend, kind: 'predicted' }, tally.predictedTokens);
    tokens.inc({ backend, kind: 'cached' }, tally.cachedTokens);
    lost.inc({ backend, why: 'refuted' }, tally.forgotten);
    lost.inc({ backend, why: 'evicted' }, tally.evicted);
    const held = caches.reduce((sum, { blocks }) => sum + blocks, 0);
    registry.gauge('llamero_prefix_blocks').set({ backend }, held);
  }
}

function setPriorities(registry: MetricRegistry, { queued }: MetricReadings['scheduler']): void {
  const waiting = new Map<number, number>();
  for (const { priority } of queued) waiting.set(priority, (waiting.get(priority) ?? 0) + 1);
  const gauge = registry.gauge('llamero_queue_depth_by_priority');
  for (const [priority, count] of waiting) gauge.set({ priority: String(priority) }, count);
}

function setProcesses(registry: MetricRegistry, { processes }: MetricReadings): void {
  const gauge = registry.gauge('llamero_process_state');
  for (const [model, current] of processes) {
    for (const state of processStates) gauge.set({ model, state }, state === current ? 1 : 0);
  }
}

function setBackends(registry: MetricRegistry, { backends }: MetricReadings['scheduler']): void {
  for (const [backend, { view, inFlight, lingering, foreign, free }] of backends) {
    for (const state of backendStates) {
      registry.gauge('llamero_backend_state').set({ backend, state }, view.state === state ? 1 : 0);
    }
    registry.gauge('llamero_backend_in_flight').set({ backend }, inFlight);
    registry.gauge('llamero_backend_slots').set({ backend }, view.slotsTotal);
    registry.gauge('llamero_backend_slots_free').set({ backend }, free);
    const used = registry.gauge('llamero_backend_slots_used');
    used.set({ backend, by: 'own' }, inFlight);
    used.set({ backend, by: 'lingering' }, lingering);
    used.set({ backend, by: 'foreign' }, foreign);
    if (view.slots !== undefined)
      registry.gauge('llamero_backend_slots_busy').set({ backend }, view.slots.busy);
    registry.gauge('llamero_backend_models_loaded').set({ backend }, view.loaded.size);
    if (view.gpuLoad !== undefined)
      registry.gauge('llamero_backend_gpu_load_percent').set({ backend }, view.gpuLoad);
  }
}

function setProbes(registry: MetricRegistry, { probes }: MetricReadings): void {
  for (const [backend, probe] of probes) {
    registry.gauge('llamero_backend_probe_failures').set({ backend }, probe.failuresInRow);
    if (probe.durationMs !== undefined) {
      registry.gauge('llamero_backend_probe_duration_seconds').set({ backend }, probe.durationMs / 1000);
    }
    if (probe.atEpochMs !== undefined) {
      registry.gauge('llamero_backend_probe_timestamp_seconds').set({ backend }, probe.atEpochMs / 1000);
    }
  }
}
