/** Which server the preset `ollama-lb` chooses, and when one leaves and comes back: without network and clock. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadConfigText } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { toSchedulerSettings } from '../../src/config/settings.ts';
import { createHealth, nextHealth, type Health, type HealthEvent } from '../../src/engines/health.ts';
import { loadOf } from '../../src/scheduler/policies/scorers/requests-and-gpu-load.ts';
import { Rig, view } from '../scheduler/rig.ts';

const config = load('scheduling: { preset: ollama-lb }');

function load(text: string): Config {
  const result = loadConfigText({ file: 'f', text, env: {} });
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join());
  return result.config;
}

const newRig = () => new Rig(toSchedulerSettings(config));

interface Server {
  readonly requests: number;
  readonly percent: number;
}

/** Each has its requests running and its load; `a`, `b`, `c` … in the order of the configuration. */
function rigWith(servers: readonly Server[]): Rig {
  const rig = newRig();
  const ids = servers.map((_, index) => String.fromCodePoint(97 + index));
  for (const [index, { requests }] of servers.entries()) {
    // Whoever is to have requests is the only one there is.
    for (const id of ids) rig.backend(id, { state: id === ids[index] ? 'live' : 'dead' });
    for (let count = 0; count < requests; count += 1) rig.arrive(`${ids[index]}${count}`);
  }
  for (const [index, { percent }] of servers.entries()) rig.backend(ids[index] ?? '', { gpuLoad: percent });
  return rig;
}

describe('the choice', () => {
  test.each<[string, readonly Server[], string]>([
    [
      'is the second of (5, 80), (1, 30) and (3, 50)',
      [
        { requests: 5, percent: 80 },
        { requests: 1, percent: 30 },
        { requests: 3, percent: 50 },
      ],
      'b',
    ],
    [
      'weighs one request as ten percent',
      [
        { requests: 1, percent: 0 },
        { requests: 0, percent: 11 },
      ],
      'a',
    ],
    [
      'counts requests where no GPU is busy',
      [
        { requests: 2, percent: 0 },
        { requests: 1, percent: 0 },
      ],
      'b',
    ],
    [
      'counts GPUs where no request runs',
      [
        { requests: 0, percent: 100 },
        { requests: 0, percent: 99 },
      ],
      'b',
    ],
    [
      'has no upper end',
      [
        { requests: 40, percent: 0 },
        { requests: 31, percent: 100 },
      ],
      'a',
    ],
  ])('OLB-1, OLB-17 %s', (_, servers, expected) => {
    expect(rigWith(servers).arrive('new')).toBe(`new→${expected}`);
  });

  test('OLB-19 is by 10 × requests + percent', () => {
    expect(loadOf({ inFlight: 2, view: view('a', { gpuLoad: 50 }) })).toBe(70);
  });

  test('OLB-1 goes round among equals', () => {
    const rig = rigWith([
      { requests: 0, percent: 20 },
      { requests: 0, percent: 20 },
      { requests: 0, percent: 20 },
    ]);
    const granted = Array.from({ length: 6 }, (_none, index) => {
      const news = rig.arrive(`r${index}`);
      rig.finish(`r${index}`);
      return news.slice(-1);
    });
    expect(granted.join('')).toBe('abcabc');
  });

  test('OLB-1 is never one with more load than another, whatever comes, goes and changes', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('arrive' as const) }),
      fc.record({ kind: fc.constant('finish' as const), of: fc.nat() }),
      fc.record({
        kind: fc.constant('load' as const),
        server: fc.constantFrom('a', 'b', 'c'),
        percent: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const rig = newRig();
        const percents = new Map<string, number | undefined>([
          ['a', 0],
          ['b', 0],
          ['c', 0],
        ]);
        const running: { id: string; server: string }[] = [];
        const loadNow = (id: string): number =>
          10 * running.filter(({ server }) => server === id).length + (percents.get(id) ?? 50);
        for (const [id, gpuLoad] of percents) rig.backend(id, { gpuLoad });
        for (const [index, each] of steps.entries()) {
          if (each.kind === 'load') {
            percents.set(each.server, each.percent);
            rig.backend(each.server, { gpuLoad: each.percent });
          } else if (each.kind === 'finish') {
            const [ended] = running.splice(each.of % Math.max(1, running.length), 1);
            if (ended !== undefined) rig.finish(ended.id);
          } else {
            const server = rig.arrive(`r${index}`).split('→')[1] ?? '';
            expect(loadNow(server)).toBe(Math.min(...['a', 'b', 'c'].map(loadNow)));
            running.push({ id: `r${index}`, server });
          }
        }
      }),
    );
  });
});

describe('a server', () => {
  const after = (health: Health, ...events: HealthEvent[]): Health =>
    events.reduce((before, event) => nextHealth(before, event, config.probes, 0), health);
  const failed: HealthEvent = { type: 'requestFailed' };
  const silent: HealthEvent = { type: 'probeFailed', refused: false };
  const live = after(createHealth(), { type: 'probeReady' });

  test.each<[string, readonly HealthEvent[], Health['state']]>([
    ['stays after two failed requests', [failed, failed], 'live'],
    ['leaves after three', [failed, failed, failed], 'dead'],
    [
      'stays where a good one was between',
      [failed, failed, { type: 'requestSucceeded' }, failed, failed],
      'live',
    ],
    ['stays after two silent probes', [silent, silent], 'degraded'],
    ['leaves after three', [silent, silent, silent], 'dead'],
    ['leaves at once where nobody listens', [{ type: 'probeFailed', refused: true }], 'dead'],
  ])('OLB-4 %s', (_, events, state) => {
    expect(after(live, ...events).state).toBe(state);
  });

  test('OLB-18 that failed three times is no longer chosen; the other two are', () => {
    expect(after(live, failed, failed, failed).state).toBe('dead');
    const rig = rigWith([
      { requests: 0, percent: 0 },
      { requests: 0, percent: 90 },
      { requests: 0, percent: 90 },
    ]);
    rig.backend('a', { state: 'dead', gpuLoad: 0 });
    const granted = ['r1', 'r2', 'r3', 'r4'].map((id) => rig.arrive(id).slice(-1));
    expect(granted.toSorted().join('')).toBe('bbcc');
  });

  test('OLB-5 that is out of service is looked at each thirty seconds, and comes back with the first good look', () => {
    expect(config.probes).toMatchObject({ deadInterval: 30_000, successes: 1 });
    const dead = after(live, failed, failed, failed);
    const later = nextHealth(dead, { type: 'probeReady' }, config.probes, 30_000);
    expect(later.state).toBe('degraded');
    const rig = rigWith([
      { requests: 0, percent: 0 },
      { requests: 0, percent: 90 },
    ]);
    rig.backend('a', { state: later.state, gpuLoad: 0 });
    expect(rig.arrive('r1')).toBe('r1→a');
  });

  test('OLB-7 that fails a request hands it over; where there is nobody else, that is an end in bounded time', () => {
    const rig = rigWith([
      { requests: 0, percent: 0 },
      { requests: 0, percent: 90 },
    ]);
    expect(rig.arrive('r1')).toBe('r1→a');
    expect(rig.retry('r1')).toBe('r1→b');
    for (const id of ['a', 'b']) rig.backend(id, { state: 'dead' });
    expect(rig.arrive('r2')).toBe('');
    expect(rig.pass(config.scheduling.deadWait)).toBe('r2✗noBackend');
  });
});
