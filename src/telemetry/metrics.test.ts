import { describe, expect, onTestFinished, test } from 'vitest';
import { parsePrometheusText, valueOf } from '../../test/prometheus-text.ts';
import type { BackendState, BackendView } from '../domain/backend-view.ts';
import type { BackendSnapshot, QueuedSnapshot } from '../scheduler/snapshot.ts';
import type { FinishedRequest } from './finished-request.ts';
import { metricTable } from './metric-table.ts';
import { createMetrics } from './metrics.ts';
import type { MetricReadings, ProbeReading } from './metrics.ts';

const request: FinishedRequest = {
  id: 'r1',
  route: 'chat-completions',
  method: 'POST',
  path: '/v1/chat/completions',
  flow: 'alice',
  model: 'qwen',
  backend: 'gpu-1',
  stream: true,
  attempts: [{ backend: 'gpu-1', failure: undefined }],
  startedMs: 0,
  queuedAtMs: 0,
  grantedAtMs: 2000,
  headAtMs: 2100,
  firstByteAtMs: 2400,
  finishedAtMs: 8000,
  status: 200,
  outcome: 'completed',
  errorCode: undefined,
  bytesIn: 10,
  bytesOut: 20,
  usage: { inputTokens: 400, outputTokens: 90, cachedTokens: 380 },
  repairs: [],
};

function backend(id: string, state: BackendState, reading = true): BackendSnapshot {
  const view: BackendView = {
    id,
    state,
    models: new Map(),
    loaded: new Set(['qwen']),
    slotsTotal: 8,
    gpuLoad: 73,
    slots: reading ? { busy: 5, probeStartedMs: 0 } : undefined,
    modelsMax: undefined,
    weight: 1,
    priority: 0,
    contextTokens: new Map(),
    epoch: 0,
  };
  return {
    view,
    inFlight: 3,
    lingering: 1,
    foreign: 1,
    free: 3,
    inFlightByModel: new Map(),
    stickyTo: undefined,
    stickyUntilMs: undefined,
    claimedFor: undefined,
  };
}

function queued(id: string, priority: number): QueuedSnapshot {
  return {
    id,
    model: 'qwen',
    flow: 'alice',
    session: undefined,
    priority,
    tokensEstimated: 0,
    waitedMs: 0,
    position: 1,
    overtaken: 0,
    attempt: 1,
  };
}

function setUp(knownModels: readonly string[] = ['qwen']) {
  const backends = new Map([['gpu-1', backend('gpu-1', 'live')]]);
  const probes = new Map<string, ProbeReading>();
  const readings: MetricReadings = {
    scheduler: {
      queuedTotal: 4,
      queued: [queued('a', 0), queued('b', 1), queued('c', 1), queued('d', 1)],
      backends,
      sessions: 12,
      draining: false,
    },
    requestsInFlight: 7,
    connections: 31,
    processes: new Map([['qwen', 'ready']]),
    probes,
    prompts: {
      blocksMax: 1000,
      bytes: 53_000,
      backends: new Map([
        [
          'gpu-1',
          {
            tally: {
              hits: 5,
              misses: 1,
              cold: 2,
              untold: 3,
              promptTokens: 900,
              predictedTokens: 500,
              cachedTokens: 450,
              forgotten: 7,
              evicted: 4,
            },
            caches: [
              { model: 'qwen', blocks: 30 },
              { model: 'llama', blocks: 12 },
            ],
          },
        ],
      ]),
    },
    host: undefined,
    logLinesLost: 3,
  };
  const metrics = createMetrics({
    version: '1.2.3',
    startedEpochMs: 1_700_000_000_000,
    knowsModel: (model) => knownModels.includes(model),
    collect: () => readings,
    scraped: () => [],
  });
  onTestFinished(() => metrics.close());
  return { metrics, backends, probes, read: async () => parsePrometheusText(await metrics.text()) };
}

describe('metrics of requests', () => {
  test('count a request, its times and its tokens', async () => {
    const { metrics, read } = setUp();
    metrics.requestFinished(request);
    metrics.requestFinished({ ...request, outcome: 'failed_midstream', usage: undefined });
    const families = await read();
    const labels = { route: 'chat-completions', model: 'qwen', backend: 'gpu-1' };
    expect(valueOf(families, 'llamero_requests_total', { ...labels, outcome: 'completed' })).toBe(1);
    expect(valueOf(families, 'llamero_requests_total', { ...labels, outcome: 'failed_midstream' })).toBe(1);
    const perBackend = { model: 'qwen', backend: 'gpu-1' };
    const perEnd = { ...perBackend, dialect: 'openai', outcome: 'completed' };
    const duration = 'llamero_request_duration_seconds';
    expect(valueOf(families, `${duration}_sum`, perEnd)).toBe(8);
    expect(valueOf(families, `${duration}_bucket`, { ...perEnd, le: '5' })).toBe(0);
    expect(valueOf(families, `${duration}_bucket`, { ...perEnd, le: '10' })).toBe(1);
    const waited = { model: 'qwen', dialect: 'openai', outcome: 'completed' };
    expect(valueOf(families, 'llamero_queue_wait_seconds_sum', waited)).toBe(2);
    const firstToken = { ...perBackend, dialect: 'openai' };
    expect(valueOf(families, 'llamero_time_to_first_token_seconds_sum', firstToken)).toBeCloseTo(4.8);
    expect(valueOf(families, 'llamero_tokens_total', { ...perBackend, kind: 'input' })).toBe(400);
    expect(valueOf(families, 'llamero_tokens_total', { ...perBackend, kind: 'output' })).toBe(90);
    expect(valueOf(families, 'llamero_tokens_total', { ...perBackend, kind: 'cached' })).toBe(380);
  });

  test('count what was put right, without the numbers that go with it', async () => {
    const { metrics, read } = setUp();
    const trimmed = { repair: 'trimContext', messages: 12 };
    metrics.requestFinished({ ...request, repairs: [trimmed, { repair: 'dropTools' }] });
    metrics.requestFinished({ ...request, repairs: [trimmed] });
    const families = await read();
    expect(valueOf(families, 'llamero_repairs_total', { repair: 'trimContext' })).toBe(2);
    expect(valueOf(families, 'llamero_repairs_total', { repair: 'dropTools' })).toBe(1);
  });

  test('count no time to first token for an answer that was not streamed', async () => {
    const { metrics, read } = setUp();
    metrics.requestFinished({ ...request, stream: false });
    const families = await read();
    expect(
      valueOf(families, 'llamero_time_to_first_token_seconds_count', {
        model: 'qwen',
        backend: 'gpu-1',
        dialect: 'openai',
      }) ?? 0,
    ).toBe(0);
  });

  test('count each attempt, and a failover where another one followed', async () => {
    const { metrics, read } = setUp();
    const attempts = [
      { backend: 'gpu-1', failure: 'ECONNREFUSED' },
      { backend: 'gpu-2', failure: undefined },
    ];
    metrics.requestFinished({ ...request, attempts });
    metrics.requestFinished({ ...request, attempts: [{ backend: 'gpu-1', failure: 'timeout' }] });
    const families = await read();
    expect(valueOf(families, 'llamero_attempts_total', { backend: 'gpu-1', result: 'failed' })).toBe(2);
    expect(valueOf(families, 'llamero_attempts_total', { backend: 'gpu-2', result: 'answered' })).toBe(1);
    expect(valueOf(families, 'llamero_failovers_total', { backend: 'gpu-1' })).toBe(1);
    expect(valueOf(families, 'llamero_retries_total', { backend: 'gpu-2' })).toBe(1);
  });

  test('count a second try on the same backend as a retry and no failover', async () => {
    const { metrics, read } = setUp();
    const attempts = [
      { backend: 'gpu-1', failure: 'status 503' },
      { backend: 'gpu-1', failure: undefined },
    ];
    metrics.requestFinished({ ...request, attempts });
    const families = await read();
    expect(valueOf(families, 'llamero_retries_total', { backend: 'gpu-1' })).toBe(1);
    expect(valueOf(families, 'llamero_failovers_total', { backend: 'gpu-1' })).toBe(0);
  });

  test('tell the speed of an answer by its stream, or as the engine tells', async () => {
    const { metrics, read } = setUp();
    const labels = { model: 'qwen', backend: 'gpu-1', dialect: 'openai' };
    const usage = { inputTokens: 5, outputTokens: 57, cachedTokens: 0, reasoningTokens: 11 };
    metrics.requestFinished({ ...request, usage });
    const streamed = await read();
    // 56 gaps in 5.6 seconds.
    expect(valueOf(streamed, 'llamero_inter_token_latency_seconds_sum', labels)).toBeCloseTo(0.1);
    expect(valueOf(streamed, 'llamero_output_tokens_per_second_sum', labels)).toBeCloseTo(10);
    const kind = { model: 'qwen', backend: 'gpu-1', kind: 'reasoning' };
    expect(valueOf(streamed, 'llamero_tokens_total', kind)).toBe(11);
    metrics.requestFinished({ ...request, usage, stream: false, timings: { predictedRate: 42 } });
    metrics.requestFinished({ ...request, usage, outcome: 'failed_midstream' });
    const both = await read();
    expect(valueOf(both, 'llamero_inter_token_latency_seconds_count', labels)).toBe(1);
    expect(valueOf(both, 'llamero_output_tokens_per_second_sum', labels)).toBeCloseTo(52);
  });

  test('count refusals by the code of the error, and aborts by phase and by whom', async () => {
    const { metrics, read } = setUp();
    metrics.requestFinished({ ...request, outcome: 'rejected_full', errorCode: 'queue_full' });
    metrics.requestFinished({ ...request, outcome: 'evicted_timeout', errorCode: 'queue_timeout' });
    metrics.requestFinished({ ...request, outcome: 'cancelled_queued', errorCode: 'client_closed' });
    metrics.requestFinished({ ...request, outcome: 'cancelled_streaming', errorCode: 'cancelled' });
    metrics.requestFinished({ ...request, outcome: 'cancelled_waiting', errorCode: 'shutting_down' });
    const families = await read();
    expect(families.get('llamero_rejections_total')?.samples.map(({ labels }) => labels['reason'])).toEqual([
      'queue_full',
      'queue_timeout',
    ]);
    expect(families.get('llamero_aborts_total')?.samples.map(({ labels }) => labels)).toEqual([
      { phase: 'queued', by: 'client' },
      { phase: 'streaming', by: 'operator' },
      { phase: 'waiting', by: 'shutdown' },
    ]);
  });

  test('make no series of the names that clients invent', async () => {
    const { metrics, read } = setUp();
    for (let index = 0; index < 300; index += 1) {
      const model = `invented-${index}`;
      metrics.requestFinished({
        ...request,
        model,
        backend: undefined,
        attempts: [],
        outcome: 'rejected_other',
      });
    }
    const families = await read();
    expect(families.get('llamero_requests_total')?.samples).toEqual([
      {
        name: 'llamero_requests_total',
        labels: { route: 'chat-completions', model: 'unknown', backend: 'none', outcome: 'rejected_other' },
        value: 300,
      },
    ]);
  });

  test('take a model that nobody lists once it was answered, and bound how many', async () => {
    const { metrics, read } = setUp([]);
    for (let index = 0; index < 1100; index += 1)
      metrics.requestFinished({ ...request, model: `served-${index}` });
    const families = await read();
    const models = new Set(
      families.get('llamero_requests_total')?.samples.map(({ labels }) => labels['model']),
    );
    expect(models.size).toBe(201);
    expect(models).toContain('served-0');
    expect(models).toContain('other');
  });

  test('survive hostile names', async () => {
    const hostile = 'a"} 1\nllamero_up{x="\\';
    const { metrics, read } = setUp([hostile]);
    metrics.requestFinished({ ...request, model: hostile });
    const families = await read();
    expect(families.get('llamero_requests_total')?.samples[0]?.labels['model']).toBe(hostile);
  });

  test('cost little per request', () => {
    const { metrics } = setUp();
    const rounds = 20_000;
    for (let index = 0; index < rounds; index += 1) metrics.requestFinished(request);
    const startedMs = performance.now();
    for (let index = 0; index < rounds; index += 1) metrics.requestFinished(request);
    const microseconds = ((performance.now() - startedMs) * 1000) / rounds;
    // Measured at about 2; the bound leaves room for a machine that does other things too.
    expect(microseconds).toBeLessThan(30);
  });
});

describe('metrics of loads', () => {
  test('count loads, swaps and what had to go, and time only what became ready', async () => {
    const { metrics, read } = setUp();
    const load = { model: 'qwen', startedMs: 1000, endedMs: 5000, isSwap: true } as const;
    metrics.modelLoaded({ ...load, result: 'ready' });
    metrics.modelLoaded({ ...load, result: 'failed' });
    metrics.modelUnloading({ model: 'llama', reason: 'evicted' });
    const families = await read();
    expect(valueOf(families, 'llamero_loads_total', { model: 'qwen', result: 'ready' })).toBe(1);
    expect(valueOf(families, 'llamero_loads_total', { model: 'qwen', result: 'failed' })).toBe(1);
    expect(valueOf(families, 'llamero_load_duration_seconds_count', { model: 'qwen' })).toBe(1);
    expect(valueOf(families, 'llamero_load_duration_seconds_sum', { model: 'qwen' })).toBe(4);
    expect(valueOf(families, 'llamero_swaps_total', { model: 'qwen' })).toBe(1);
    expect(valueOf(families, 'llamero_evictions_total', { model: 'llama', reason: 'evicted' })).toBe(1);
  });
});

describe('metrics of what has not happened yet', () => {
  test('are 0 from the start, so that the first time is an increase', async () => {
    const { metrics, read } = setUp();
    const before = await read();
    expect(valueOf(before, 'llamero_loads_total', { model: 'qwen', result: 'failed' })).toBe(0);
    expect(valueOf(before, 'llamero_evictions_total', { model: 'qwen', reason: 'ttl' })).toBe(0);
    expect(valueOf(before, 'llamero_swaps_total', { model: 'qwen' })).toBe(0);
    expect(valueOf(before, 'llamero_failovers_total', { backend: 'gpu-1' })).toBe(0);
    expect(valueOf(before, 'llamero_attempts_total', { backend: 'gpu-1', result: 'failed' })).toBe(0);
    expect(valueOf(before, 'llamero_rejections_total', { reason: 'queue_full' })).toBe(0);
    metrics.modelLoaded({ model: 'qwen', result: 'failed', startedMs: 0, endedMs: 1, isSwap: false });
    const after = await read();
    expect(valueOf(after, 'llamero_loads_total', { model: 'qwen', result: 'failed' })).toBe(1);
  });
});

describe('metrics of the fleet', () => {
  test('show what is so at the moment of the scrape', async () => {
    const { probes, read } = setUp();
    probes.set('gpu-1', { atEpochMs: 1_700_000_100_000, durationMs: 12, failuresInRow: 2 });
    const families = await read();
    expect(valueOf(families, 'llamero_queue_depth')).toBe(4);
    expect(valueOf(families, 'llamero_queue_depth_by_priority', { priority: '0' })).toBe(1);
    expect(valueOf(families, 'llamero_queue_depth_by_priority', { priority: '1' })).toBe(3);
    expect(valueOf(families, 'llamero_requests_in_flight')).toBe(7);
    expect(valueOf(families, 'llamero_log_lines_lost_total')).toBe(3);
    expect(valueOf(families, 'llamero_connections')).toBe(31);
    expect(valueOf(families, 'llamero_process_state', { model: 'qwen', state: 'ready' })).toBe(1);
    expect(valueOf(families, 'llamero_process_state', { model: 'qwen', state: 'stopped' })).toBe(0);
    expect(valueOf(families, 'llamero_sessions')).toBe(12);
    const ofPrompts = (name: string, labels: Record<string, string>) =>
      valueOf(families, `llamero_prefix_${name}`, { backend: 'gpu-1', ...labels });
    expect(ofPrompts('blocks', {})).toBe(42);
    expect(ofPrompts('prompts_total', { result: 'untold' })).toBe(3);
    expect(ofPrompts('tokens_total', { kind: 'predicted' })).toBe(500);
    expect(ofPrompts('blocks_lost_total', { why: 'evicted' })).toBe(4);
    expect(valueOf(families, 'llamero_prefix_blocks_max')).toBe(1000);
    expect(valueOf(families, 'llamero_prefix_index_bytes')).toBe(53_000);
    expect(valueOf(families, 'llamero_draining')).toBe(0);
    const backendLabel = { backend: 'gpu-1' };
    expect(valueOf(families, 'llamero_backend_slots', backendLabel)).toBe(8);
    expect(valueOf(families, 'llamero_backend_slots_free', backendLabel)).toBe(3);
    expect(valueOf(families, 'llamero_backend_slots_busy', backendLabel)).toBe(5);
    expect(valueOf(families, 'llamero_backend_slots_used', { ...backendLabel, by: 'own' })).toBe(3);
    expect(valueOf(families, 'llamero_backend_slots_used', { ...backendLabel, by: 'lingering' })).toBe(1);
    expect(valueOf(families, 'llamero_backend_slots_used', { ...backendLabel, by: 'foreign' })).toBe(1);
    expect(valueOf(families, 'llamero_backend_state', { ...backendLabel, state: 'live' })).toBe(1);
    expect(valueOf(families, 'llamero_backend_state', { ...backendLabel, state: 'dead' })).toBe(0);
    expect(valueOf(families, 'llamero_backend_models_loaded', backendLabel)).toBe(1);
    expect(valueOf(families, 'llamero_backend_gpu_load_percent', backendLabel)).toBe(73);
    expect(valueOf(families, 'llamero_backend_probe_failures', backendLabel)).toBe(2);
    expect(valueOf(families, 'llamero_backend_probe_duration_seconds', backendLabel)).toBe(0.012);
    expect(valueOf(families, 'llamero_backend_probe_timestamp_seconds', backendLabel)).toBe(1_700_000_100);
  });

  test('follow a backend that changes and one that leaves', async () => {
    const { backends, read } = setUp();
    await read();
    backends.clear();
    backends.set('gpu-2', backend('gpu-2', 'dead', false));
    const families = await read();
    expect(valueOf(families, 'llamero_backend_state', { backend: 'gpu-1', state: 'live' })).toBeUndefined();
    expect(valueOf(families, 'llamero_backend_state', { backend: 'gpu-2', state: 'dead' })).toBe(1);
    expect(families.get('llamero_backend_slots_busy')?.samples).toEqual([]);
  });
});

describe('metrics page', () => {
  test('has every metric of the table with its help and kind, and no other', async () => {
    const { metrics, read } = setUp();
    metrics.requestFinished(request);
    const families = await read();
    expect([...families.keys()]).toEqual(Object.keys(metricTable));
    for (const [name, { kind, help }] of Object.entries(metricTable)) {
      expect(families.get(name)).toMatchObject({ type: kind, help });
    }
    expect(metrics.contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  test('tells what runs and what it costs', async () => {
    const { metrics, read } = setUp();
    metrics.connectionRejected();
    const families = await read();
    expect(valueOf(families, 'llamero_build_info', { version: '1.2.3', node: process.versions.node })).toBe(
      1,
    );
    expect(valueOf(families, 'llamero_start_time_seconds')).toBe(1_700_000_000);
    expect(valueOf(families, 'llamero_connections_rejected_total')).toBe(1);
    expect(valueOf(families, 'llamero_process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
    expect(valueOf(families, 'llamero_process_cpu_seconds_total', { mode: 'user' })).toBeGreaterThan(0);
    for (const statistic of ['mean', 'p50', 'p99', 'max']) {
      expect(valueOf(families, 'llamero_event_loop_lag_seconds', { statistic })).toBeGreaterThanOrEqual(0);
    }
  });

  test('grows its counters of processor time from scrape to scrape', async () => {
    const { read } = setUp();
    const before = valueOf(await read(), 'llamero_process_cpu_seconds_total', { mode: 'user' }) ?? 0;
    const untilMs = performance.now() + 30;
    while (performance.now() < untilMs);
    const after = valueOf(await read(), 'llamero_process_cpu_seconds_total', { mode: 'user' }) ?? 0;
    expect(after - before).toBeGreaterThan(0.005);
    expect(after - before).toBeLessThan(5);
  });
});
