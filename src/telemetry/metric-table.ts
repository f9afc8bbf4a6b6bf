/** Every metric that `/metrics` shows: the one source of names, labels, buckets and docs/metrics.md. */
import { hostMetricTable } from './host/host-metric-table.ts';

export interface MetricEntry {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** One or two sentences; also the HELP line. */
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram. */
  readonly buckets?: readonly number[];
}

const waitBuckets = [0.001, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const firstTokenBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const tokenGapBuckets = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 5];
const tokenRateBuckets = [1, 2, 5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000];
const loadBuckets = [0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600];
const durationBuckets = [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800];

export const metricTable = {
  llamero_requests_total: {
    kind: 'counter',
    help: 'Finished requests by how they ended.',
    labels: ['route', 'model', 'backend', 'outcome'],
  },
  llamero_request_duration_seconds: {
    kind: 'histogram',
    help: 'Time from the arrival of a request to its end, whatever the outcome.',
    labels: ['model', 'backend', 'dialect', 'outcome'],
    buckets: durationBuckets,
  },
  llamero_time_to_first_token_seconds: {
    kind: 'histogram',
    help: 'Time from the arrival of a streaming request to the first byte of its answer, waiting included.',
    labels: ['model', 'backend', 'dialect'],
    buckets: firstTokenBuckets,
  },
  llamero_inter_token_latency_seconds: {
    kind: 'histogram',
    help: 'Mean time between two tokens of a streamed answer that came to its end, one value per answer.',
    labels: ['model', 'backend', 'dialect'],
    buckets: tokenGapBuckets,
  },
  llamero_output_tokens_per_second: {
    kind: 'histogram',
    help: 'Speed of generation, one value per answer: as the engine tells, else by the time from the first byte of a streamed answer to its end.',
    labels: ['model', 'backend', 'dialect'],
    buckets: tokenRateBuckets,
  },
  llamero_queue_wait_seconds: {
    kind: 'histogram',
    help: 'Time that a request waited for a slot, also if it never got one.',
    labels: ['model', 'dialect', 'outcome'],
    buckets: waitBuckets,
  },
  llamero_tokens_total: {
    kind: 'counter',
    help: 'Tokens by kind: input (prompt), output (generated), cached (the part of input that came from a prompt cache), reasoning (the part of output that was thought, where the engine tells).',
    labels: ['model', 'backend', 'kind'],
  },
  llamero_attempts_total: {
    kind: 'counter',
    help: 'Tries of a request on a backend, by result: answered or failed. A request that was retried counts each try.',
    labels: ['backend', 'result'],
  },
  llamero_failovers_total: {
    kind: 'counter',
    help: 'Requests that went on to another backend after this one failed them.',
    labels: ['backend'],
  },
  llamero_retries_total: {
    kind: 'counter',
    help: 'Tries of a request after its first, by the backend that they went to, be it the same as before or another.',
    labels: ['backend'],
  },
  llamero_rejections_total: {
    kind: 'counter',
    help: 'Requests that were refused or waited too long, by the code of the error (docs/errors.md).',
    labels: ['reason'],
  },
  llamero_aborts_total: {
    kind: 'counter',
    help: 'Requests that were broken off, by phase (queued, waiting for the first byte, streaming) and by whom: client, operator, shutdown.',
    labels: ['phase', 'by'],
  },
  llamero_loads_total: {
    kind: 'counter',
    help: 'Loads of models by processes of the router, by result: ready, failed, or aborted because it was stopped before.',
    labels: ['model', 'result'],
  },
  llamero_load_duration_seconds: {
    kind: 'histogram',
    help: 'Time from the start of a process until its model takes requests; failed and aborted loads do not count.',
    labels: ['model'],
    buckets: loadBuckets,
  },
  llamero_swaps_total: {
    kind: 'counter',
    help: 'Loads of models that others were stopped for, by the model that came.',
    labels: ['model'],
  },
  llamero_evictions_total: {
    kind: 'counter',
    help: 'Models that the router unloaded, by reason: ttl (unused), evicted (another one needed the place), requested.',
    labels: ['model', 'reason'],
  },
  llamero_repairs_total: {
    kind: 'counter',
    help: 'Requests and answers that were put right so that engine and client understand each other, by what was done: a key of `repairs` in the configuration, or what was wrong with the answer.',
    labels: ['repair'],
  },
  llamero_cache_requests_total: {
    kind: 'counter',
    help: 'Requests that wanted something of the cache of answers, by what came of it: `exact` and `semantic` were answered from it, `miss` by an engine, `bypass` without looking.',
    labels: ['result'],
  },
  llamero_cache_saved_tokens_total: {
    kind: 'counter',
    help: 'Tokens of answers that were given again, by kind: input, output. They are counted as they were when an engine gave the answer, and nowhere else.',
    labels: ['kind'],
  },
  llamero_cache_refusals_total: {
    kind: 'counter',
    help: 'Answers to such requests that are not kept, by the reason (docs/cache.md).',
    labels: ['reason'],
  },
  llamero_cache_entries: {
    kind: 'gauge',
    help: 'Answers that are kept in memory or in a file.',
    labels: [],
  },
  llamero_cache_bytes: {
    kind: 'gauge',
    help: 'Room that these take.',
    labels: [],
  },
  llamero_inner_requests_total: {
    kind: 'counter',
    help: 'Requests that the router has sent itself as a part of another one, by what they were for: an `answer`, a `critique` or the `final` answer of an ensemble. They are among all others, too.',
    labels: ['purpose', 'outcome'],
  },
  llamero_key_rejections_total: {
    kind: 'counter',
    help: 'Requests refused because of their API key, by error code: no key that is known, or one that may not do it, or not so much.',
    labels: ['reason'],
  },
  llamero_connections_rejected_total: {
    kind: 'counter',
    help: 'Client connections refused because `limits.connections` was reached.',
    labels: [],
  },
  llamero_log_lines_lost_total: {
    kind: 'counter',
    help: 'Lines of the log that could not be written: the disk was full, or nobody read them.',
    labels: [],
  },
  llamero_connections: { kind: 'gauge', help: 'Client connections that are open.', labels: [] },
  llamero_queue_depth: { kind: 'gauge', help: 'Requests that wait for a slot now.', labels: [] },
  llamero_queue_depth_by_priority: {
    kind: 'gauge',
    help: 'Requests that wait for a slot now, by their priority class: 0 is served first. Absent where nobody waits.',
    labels: ['priority'],
  },
  llamero_requests_in_flight: {
    kind: 'gauge',
    help: 'Requests that have arrived and not finished, waiting ones included.',
    labels: [],
  },
  llamero_sessions: { kind: 'gauge', help: 'Conversations whose backend is remembered.', labels: [] },
  llamero_draining: { kind: 'gauge', help: '1 while the router takes no new requests, else 0.', labels: [] },
  llamero_backend_state: {
    kind: 'gauge',
    help: '1 for the state that the backend is in, 0 for the others.',
    labels: ['backend', 'state'],
  },
  llamero_backend_in_flight: {
    kind: 'gauge',
    help: 'Requests of this router that run on the backend.',
    labels: ['backend'],
  },
  llamero_backend_slots: { kind: 'gauge', help: 'Slots the backend has.', labels: ['backend'] },
  llamero_backend_slots_free: {
    kind: 'gauge',
    help: 'Slots a request could take now.',
    labels: ['backend'],
  },
  llamero_backend_slots_used: {
    kind: 'gauge',
    help: 'Slots taken, by whom: own (requests of this router), lingering (their client left, the engine goes on), foreign (somebody else).',
    labels: ['backend', 'by'],
  },
  llamero_backend_slots_busy: {
    kind: 'gauge',
    help: 'Busy slots as the engine itself counted them last. Absent for engines that do not tell.',
    labels: ['backend'],
  },
  llamero_backend_models_loaded: {
    kind: 'gauge',
    help: 'Models in the memory of the backend.',
    labels: ['backend'],
  },
  llamero_backend_gpu_load_percent: {
    kind: 'gauge',
    help: 'How busy the GPUs of the machine of the backend are, as its `gpuMonitor` says: the mean, 0 to 100. Absent where nobody tells.',
    labels: ['backend'],
  },
  llamero_backend_probe_failures: {
    kind: 'gauge',
    help: 'Failed probes in a row; 0 after a good one.',
    labels: ['backend'],
  },
  llamero_backend_probe_duration_seconds: {
    kind: 'gauge',
    help: 'Duration of the last probe.',
    labels: ['backend'],
  },
  llamero_backend_probe_timestamp_seconds: {
    kind: 'gauge',
    help: 'When the last probe finished, as Unix time.',
    labels: ['backend'],
  },
  llamero_backend_scrape_up: {
    kind: 'gauge',
    help: '1 if the own metrics of the backend are on this page, else 0. Absent unless `telemetry.metrics.backends` is set.',
    labels: ['backend'],
  },
  llamero_process_state: {
    kind: 'gauge',
    help: '1 for the state that the process of a model is in, 0 for the others: stopped, starting, ready, stopping, failed.',
    labels: ['model', 'state'],
  },
  llamero_prefix_prompts_total: {
    kind: 'counter',
    help: 'Prompts that a backend has read, by how the guess of what it had cached turned out: hit, miss (less than half of it), cold (nothing was believed to be cached), untold (the engine does not say).',
    labels: ['backend', 'result'],
  },
  llamero_prefix_tokens_total: {
    kind: 'counter',
    help: 'Tokens of prompts whose engine says what was cached, by kind: prompt (all), predicted (believed to be cached), cached (were).',
    labels: ['backend', 'kind'],
  },
  llamero_prefix_blocks: {
    kind: 'gauge',
    help: 'Blocks of prompts that a backend is believed to have cached.',
    labels: ['backend'],
  },
  llamero_prefix_blocks_max: {
    kind: 'gauge',
    help: 'Most blocks remembered over all backends; 0 = none were yet.',
    labels: [],
  },
  llamero_prefix_index_bytes: {
    kind: 'gauge',
    help: 'Memory of all these blocks, of `affinity.prefix.memory`.',
    labels: [],
  },
  llamero_prefix_blocks_lost_total: {
    kind: 'counter',
    help: 'Blocks forgotten, by why: refuted (the engine had them no more) or evicted (`affinity.prefix.memory` was full). Those of a backend that was away are not counted.',
    labels: ['backend', 'why'],
  },
  llamero_trace_spans_total: {
    kind: 'counter',
    help: 'Spans of traces by what became of them: exported, or dropped because too many waited or the collector refused them. Absent while nothing is traced.',
    labels: ['result'],
  },
  llamero_event_loop_lag_seconds: {
    kind: 'gauge',
    help: 'How late timers ran since the last scrape: mean, p50, p99 and max.',
    labels: ['statistic'],
  },
  llamero_process_cpu_seconds_total: {
    kind: 'counter',
    help: 'CPU time of the router, by mode: user or system.',
    labels: ['mode'],
  },
  llamero_process_resident_memory_bytes: {
    kind: 'gauge',
    help: 'Resident memory of the router.',
    labels: [],
  },
  llamero_process_heap_used_bytes: { kind: 'gauge', help: 'Used part of the JavaScript heap.', labels: [] },
  llamero_start_time_seconds: { kind: 'gauge', help: 'When the router started, as Unix time.', labels: [] },
  llamero_build_info: {
    kind: 'gauge',
    help: 'Always 1; the labels say what runs.',
    labels: ['version', 'node'],
  },
  ...hostMetricTable,
} as const satisfies Record<string, MetricEntry>;

export type MetricName = keyof typeof metricTable;

type Entry<Name extends MetricName> = (typeof metricTable)[Name];
/** The label names of one metric. */
export type MetricLabel<Name extends MetricName> = Entry<Name>['labels'][number];
/** The names of all metrics of one kind. */
export type MetricNameOf<Kind extends MetricEntry['kind']> = {
  [Name in MetricName]: Entry<Name>['kind'] extends Kind ? Name : never;
}[MetricName];
