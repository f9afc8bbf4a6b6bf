import { describe, expect, onTestFinished, test } from 'vitest';
import { parsePrometheusText, valueOf } from '../../test/prometheus-text.ts';
import type { BackendState, BackendView } from '../domain/backend-view.ts';
import type { BackendSnapshot } from '../scheduler/snapshot.ts';
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

function setUp(knownModels: readonly string[] = ['qwen']) {
  const backends = new Map([['gpu-1', backend('gpu-1', 'live')]]);
  const probes = new Map<string, ProbeReading>();
  const readings: MetricReadings = {
    scheduler: { queuedTotal: 4, backends, sessions: 12, draining: false },
    requestsInFlight: 7,
    probes,
    host: undefined,
  };
  const metrics = createMetrics({
    version: '1.2.3',
    startedEpochMs: 1_700_000_000_000,
    knowsModel: (model) => knownModels.includes(model),
    collect: () => readings,
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
    const perRoute = { route: 'chat-completions', model: 'qwen' };
    expect(valueOf(families, 'llamero_request_duration_seconds_sum', perRoute)).toBe(16);
    expect(valueOf(families, 'llamero_request_duration_seconds_bucket', { ...perRoute, le: '5' })).toBe(0);
    expect(valueOf(families, 'llamero_request_duration_seconds_bucket', { ...perRoute, le: '10' })).toBe(2);
    expect(valueOf(families, 'llamero_queue_wait_seconds_sum', { model: 'qwen' })).toBe(4);
    const perBackend = { model: 'qwen', backend: 'gpu-1' };
    expect(valueOf(families, 'llamero_time_to_first_token_seconds_sum', perBackend)).toBeCloseTo(4.8);
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
      valueOf(families, 'llamero_time_to_first_token_seconds_count', { model: 'qwen', backend: 'gpu-1' }) ??
        0,
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
    expect(models.size).toBe(1001);
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

describe('metrics of the fleet', () => {
  test('show what is so at the moment of the scrape', async () => {
    const { probes, read } = setUp();
    probes.set('gpu-1', { atEpochMs: 1_700_000_100_000, durationMs: 12, failuresInRow: 2 });
    const families = await read();
    expect(valueOf(families, 'llamero_queue_depth')).toBe(4);
    expect(valueOf(families, 'llamero_requests_in_flight')).toBe(7);
    expect(valueOf(families, 'llamero_sessions')).toBe(12);
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
    for (const quantile of ['mean', 'p50', 'p99', 'max']) {
      expect(valueOf(families, 'llamero_event_loop_lag_seconds', { quantile })).toBeGreaterThanOrEqual(0);
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
