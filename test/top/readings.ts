/** Readings of a router that is made up, for tests of `llamero top`. */
import { requestsAnswer, statusAnswer, type Reading } from '../../src/cli/top/router-answers.ts';

export interface FakeTopBackend {
  readonly id: string;
  readonly state?: string;
  readonly reason?: string;
  readonly slots?: number;
  readonly own?: number;
  readonly models?: readonly string[];
  readonly loaded?: readonly string[];
  /** `ttl_seconds` and `pid` make it a process of the router's own. */
  readonly process?: { readonly pid: number | null; readonly ttl_seconds: number };
  readonly vramBytes?: number;
  readonly error?: string;
  readonly tokensPerSecond?: number;
  /** Of its GPUs; null = their monitor is silent. */
  readonly gpuPercent?: number | null;
}

export function fakeTopBackend(fake: FakeTopBackend): object {
  const { id, own = 0, loaded = [], models = loaded } = fake;
  const memory = { vram_bytes: fake.vramBytes ?? null, ram_bytes: null };
  return {
    id,
    url: `http://${id}:8080`,
    engine: 'llamacpp',
    state: fake.state ?? 'live',
    reason: fake.reason ?? null,
    slots: { total: fake.slots ?? 4, own, lingering: 0, foreign: 0 },
    models,
    loaded,
    in_flight_by_model: loaded[0] === undefined ? {} : { [loaded[0]]: own },
    gpu: fake.gpuPercent === undefined ? null : { load_percent: fake.gpuPercent },
    memory: fake.process === undefined ? null : { need: memory },
    process: fake.process ?? null,
    probe: { error: fake.error ?? null },
    traffic: { output_tokens_per_second: fake.tokensPerSecond ?? 0 },
  };
}

export function fakeTopRequest(id: string, changes: object = {}): object {
  return {
    request_id: id,
    phase: 'streaming',
    model_id: 'qwen3-8b',
    requested_model: 'qwen3-8b',
    backend_id: 'desk',
    flow: 'alice',
    route: 'chat-completions',
    age_seconds: 4.25,
    position: null,
    estimated_tokens: 650,
    input_tokens: null,
    output_tokens: 85,
    ...changes,
  };
}

export function fakeStatus(backends: readonly FakeTopBackend[], changes: object = {}): object {
  return {
    version: '0.1.0',
    uptime_seconds: 7380,
    demo: false,
    draining: false,
    queue: { depth: 0 },
    sessions: 3,
    traffic: { requests_per_minute: 90, output_tokens_per_second: 71.5 },
    backends: backends.map(fakeTopBackend),
    ...changes,
  };
}

/** As a router would answer it, read as the program reads it. */
export function fakeReading(
  backends: readonly FakeTopBackend[],
  requests: readonly object[] = [],
  changes: object = {},
): Reading {
  const { queued, running } = requestsAnswer.parse({ queued: [], running: requests });
  return { status: statusAnswer.parse(fakeStatus(backends, changes)), requests: [...queued, ...running] };
}
