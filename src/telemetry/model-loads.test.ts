import { describe, expect, test } from 'vitest';
import type { BackendState, BackendView, LoadFailure } from '../domain/backend-view.ts';
import { ModelLoads, type LoadReport } from './model-loads.ts';

const failure: LoadFailure = { code: 'process_exited', message: 'gone', retryAtMs: 0 };

function view(state: BackendState, generation = 1, why?: LoadFailure): BackendView {
  return {
    id: 'qwen',
    state,
    models: new Map(),
    loaded: new Set(),
    slotsTotal: 1,
    slots: undefined,
    modelsMax: undefined,
    weight: 1,
    priority: 0,
    contextTokens: new Map(),
    epoch: 0,
    process: { host: 'local', generation, ttlMs: 0, unloadTimeoutMs: 0, failure: why },
  };
}

function setUp() {
  const clock = { now: 0, nowMs: () => clock.now, epochMs: () => clock.now };
  const ended: LoadReport[] = [];
  const loads = new ModelLoads({ clock, onEnded: (load) => void ended.push(load) });
  const at = (nowMs: number, next: BackendView): void => {
    clock.now = nowMs;
    loads.changed(next);
  };
  return { loads, ended, at };
}

describe('a load', () => {
  test('lasts from the start of the process until it takes requests, however often it is told of', () => {
    const { ended, at } = setUp();
    at(0, view('stopped', 0));
    at(100, view('starting'));
    at(200, view('starting'));
    at(5100, view('live'));
    at(5200, view('degraded'));
    const once = { model: 'qwen', result: 'ready', startedMs: 100, endedMs: 5100, isSwap: false };
    expect(ended).toEqual([once]);
  });

  test('that fails or is stopped before says so', () => {
    const { ended, at } = setUp();
    at(0, view('starting'));
    at(10, view('stopped', 1, failure));
    at(20, view('starting', 2));
    at(30, view('stopping', 2));
    at(40, view('stopped', 2));
    expect(ended.map(({ result, endedMs }) => [result, endedMs])).toEqual([
      ['failed', 10],
      ['aborted', 40],
    ]);
  });

  test('is a swap once, when others had to stop for it', () => {
    const { loads, ended, at } = setUp();
    loads.wanted('qwen', true);
    at(0, view('starting'));
    at(10, view('live'));
    at(20, view('starting', 2));
    at(30, view('live', 2));
    expect(ended.map(({ isSwap }) => isSwap)).toEqual([true, false]);
  });

  test('of a backend that left is forgotten', () => {
    const { loads, ended, at } = setUp();
    at(0, view('starting'));
    loads.removed('qwen');
    at(10, view('live'));
    expect(ended).toEqual([]);
  });
});
