/** Fills a made-up fleet with traffic as it looks on a busy evening, from a fixed seed. */
import { createRandom } from '../../src/base/random.ts';
import { unknownGpu, type GpuReading } from '../../src/domain/host-reading.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { RequestPhase, RequestRecord } from '../../src/store/request-record.ts';
import { fakeQueued, fakeStartEpochMs } from '../fake-admin-deps.ts';
import type { FakeFleet } from '../fake-admin-deps.ts';

export const hostileModel =
  '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>';

const models = ['qwen3-coder-30b-a3b', 'llama-3.3-70b-instruct-q4_k_m', 'gemma-3-27b-it', 'bge-m3'] as const;
const endings: readonly (readonly [Outcome, number])[] = [
  ...Array.from({ length: 24 }, () => ['completed', 200] as const),
  ['cancelled_streaming', 200],
  ['passed_through_error', 400],
  ['failed_midstream', 200],
  ['rejected_full', 429],
];

function gpu(index: number, percent: number): GpuReading {
  return {
    ...unknownGpu({ index, vendor: 'nvidia', name: 'NVIDIA GeForce RTX 3090' }),
    utilizationPercent: percent,
    memoryUsedBytes: 20 * 2 ** 30,
    memoryTotalBytes: 24 * 2 ** 30,
    temperatureCelsius: 66 + index,
  };
}

export function makeLively(fleet: FakeFleet): void {
  const random = createRandom(7);
  const between = (low: number, high: number) => low + random.next() * (high - low);
  fleet.advance(3 * 86_400_000 + 4 * 3_600_000);
  fleet.backends = [
    {
      id: 'gpu-1',
      version: 'b7342',
      loaded: [models[0]],
      slots: 8,
      own: 6,
      lingering: 1,
      stickyTo: models[0],
      gpus: [gpu(0, 92), gpu(1, 87)],
    },
    { id: 'gpu-2', version: 'b7342', loaded: [models[1]], slots: 4, own: 3, foreign: 1 },
    {
      id: 'studio',
      engine: 'ollama',
      version: '0.9.6',
      url: 'http://studio.lan:11434',
      loaded: [models[2], models[3], hostileModel],
      slots: 4,
      own: 1,
      state: 'degraded',
      error: 'GET /api/ps took longer than 5 s',
    },
    {
      id: 'rack-a100',
      engine: 'vllm',
      version: '0.11.2',
      url: 'http://10.0.4.20:8000',
      gpus: 'silent',
      loaded: [models[1]],
      slots: 64,
      own: 21,
      foreign: 5,
    },
    { id: 'attic', state: 'dead', error: 'Connection refused', slots: 2, url: 'http://attic.lan:8080/llama' },
    { id: 'spare', state: 'draining', version: 'b7100', loaded: [models[0]], slots: 2, own: 1 },
  ];
  finishSome(fleet, between);
  useTokens(fleet, between);
  runSome(fleet, between);
  fleet.queued = Array.from({ length: 7 }, (_, index) =>
    fakeQueued(`${(0x9f3c + index * 977).toString(16)}e21b-77aa-4c1d-9d3e-${index}`, {
      model: index === 2 ? hostileModel : models[index % 2],
      session: index % 3 === 0 ? `chat-${index}` : undefined,
      waitedMs: [187_000, 64_000, 31_000, 12_400, 9000, 4200, 800][index] ?? 0,
      tokensEstimated: [18_400, 950, 4100, 121_000, 640, 2300, 12][index] ?? 0,
      priority: index === 3 ? 2 : 1,
      position: index + 1,
      overtaken: index === 0 ? 3 : 0,
    }),
  );
  fleet.history = Array.from({ length: 200 }, (_, index) => ({
    atEpochMs: fakeStartEpochMs + 3 * 86_400_000 + index * 3000,
    outputTokensPerSecond: 700 + 260 * Math.sin(index / 17) + between(-60, 60),
    requestsPerMinute: 90 + 30 * Math.sin(index / 23 + 1) + between(-8, 8),
    queued: Math.max(0, Math.round(4 + 5 * Math.sin(index / 13) + between(-1, 1))),
    slotsUsed: Math.round(40 + 16 * Math.sin(index / 19)),
    slotsTotal: 80,
  }));
}

function finishSome(fleet: FakeFleet, between: (low: number, high: number) => number): void {
  for (let index = 0; index < 60; index += 1) {
    const [outcome, status] = endings[Math.floor(between(0, endings.length))] ?? ['completed', 200];
    const refused = outcome === 'rejected_full';
    const waitMs = between(0, 1) < 0.6 ? 0.4 : between(20, 9000);
    const firstMs = waitMs + between(90, 1400);
    const outputTokens = Math.round(between(20, 900));
    const startedMs = fleet.deps.clock.nowMs() - (refused ? 1 : firstMs + outputTokens * 9);
    const record = fleet.open(requestId(index), {
      startedMs,
      model: models[index % 3],
      backend: refused ? undefined : ['gpu-1', 'gpu-2', 'rack-a100'][index % 3],
      stream: true,
      queuedAtMs: startedMs,
      session: index % 2 === 0 ? `chat-${index % 7}` : undefined,
      tokensEstimated: 2000,
      ...(refused ? {} : { grantedAtMs: startedMs + waitMs, firstByteAtMs: startedMs + firstMs }),
      ...(outcome === 'completed'
        ? {
            usage: {
              ...promptTokens(between),
              outputTokens,
              estimated: false,
            },
          }
        : {}),
    });
    if (record.backend !== undefined) record.attempts.push({ backend: record.backend, failure: undefined });
    fleet.advance(450);
    fleet.deps.requests.finish(record, {
      outcome,
      status,
      errorCode: outcome === 'failed_midstream' ? 'backend_reset' : refused ? 'queue_full' : undefined,
    });
  }
}

function promptTokens(between: (low: number, high: number) => number) {
  const inputTokens = Math.round(between(300, 24_000));
  return { inputTokens, cachedTokens: Math.round(inputTokens * between(0.3, 0.98)) };
}

function runSome(fleet: FakeFleet, between: (low: number, high: number) => number): void {
  const phases: readonly RequestPhase[] = [
    'streaming',
    'streaming',
    'streaming',
    'waiting',
    'waiting',
    'connecting',
    'streaming',
    'reading',
  ];
  phases.forEach((phase, index) => {
    const record: RequestRecord = fleet.open(requestId(500 + index), {
      startedMs: fleet.deps.clock.nowMs() - (8 - index) * between(900, 7000),
      phase,
      model: index === 4 ? hostileModel : models[index % 3],
      backend: phase === 'reading' ? undefined : ['gpu-1', 'gpu-2', 'rack-a100'][index % 3],
      stream: true,
      chunksOut: phase === 'streaming' ? Math.round(between(10, 2400)) : 0,
    });
    if (phase === 'streaming') record.firstByteAtMs = record.startedMs + between(80, 1800);
    if (index === 1) {
      record.attempts.push({ backend: 'attic', failure: 'ECONNREFUSED' });
      record.repairs = [{ repair: 'trimContext', messages: 12 }];
    }
    if (index === 3) record.promptProgress = { done: 8_700, total: 20_000 };
    if (record.backend !== undefined) record.attempts.push({ backend: record.backend, failure: undefined });
  });
  fleet.deps.decisions.add({
    request: requestId(501),
    model: models[1],
    backend: 'gpu-2',
    atMs: fleet.deps.clock.nowMs() - 4000,
    waitedMs: 812,
    attempt: 2,
    overtook: 1,
    picker: 'max-score',
    candidates: [
      {
        backend: 'gpu-2',
        excludedBy: undefined,
        score: 2.31,
        scores: { session: 1, loaded: 1, 'free-slots': 0.25 },
      },
      {
        backend: 'rack-a100',
        excludedBy: undefined,
        score: 1.6,
        scores: { session: 0, loaded: 1, 'free-slots': 0.6 },
      },
      { backend: 'attic', excludedBy: 'already-failed', score: 0, scores: {} },
    ],
  });
}

/** Looks like a UUID, and is the same in every run. */
export function requestId(index: number): string {
  const digits = ((index + 1) * 2_654_435_761).toString(16).padStart(10, '0');
  return `${digits.slice(0, 8)}-${digits.slice(-4)}-4a7e-8c11-${String(index).padStart(12, '0')}`;
}

/** The last hour of three keys and four models; the clock ends where it was. */
function useTokens(fleet: FakeFleet, between: (low: number, high: number) => number): void {
  for (let minute = 59; minute >= 0; minute -= 1) {
    fleet.advance(-minute * 60_000);
    for (const [index, model] of [...models, hostileModel].entries()) {
      const inputTokens = Math.round(between(2000, 9000) / (index + 1));
      fleet.usage.add({
        key: {
          flow: ['ci', 'notebook', 'chat-ui'][index % 3] ?? '',
          backend: 'gpu-1',
          model,
          dialect: 'openai',
        },
        counts: {
          inputTokens,
          outputTokens: Math.round(inputTokens / 6),
          cachedTokens: Math.round(inputTokens * 0.4),
          reasoningTokens: Math.round(inputTokens / 20),
          requests: 3,
          errors: 0,
          estimated: 0,
        },
      });
    }
    fleet.advance(minute * 60_000);
  }
}
