import { describe, expect, test } from 'vitest';
import { createHealth, nextHealth } from './health.ts';
import type { Health, HealthEvent } from './health.ts';

const settings = { failures: 2, successes: 1, breakerFailures: 3 };
const events = {
  ok: { type: 'probeReady' },
  loading: { type: 'probeLoading' },
  fail: { type: 'probeFailed', refused: false },
  refused: { type: 'probeFailed', refused: true },
  bad: { type: 'requestFailed' },
  good: { type: 'requestSucceeded' },
} as const satisfies Record<string, HealthEvent>;
type EventName = keyof typeof events;

/** Runs `ok fail@1500 …` and tells the state after each; the time is 0 unless given. */
function run(script: string, own = settings): { states: string; health: Health } {
  let health = createHealth();
  const states: string[] = [];
  for (const step of script.split(' ')) {
    const [name, atMs] = step.split('@');
    health = nextHealth(health, events[name as EventName], own, Number(atMs ?? 0));
    states.push(health.state);
  }
  return { states: states.join(' '), health };
}

describe('health by probes', () => {
  test.each([
    ['first good probe puts in service', 'ok', 'live', 0],
    ['one failure degrades, the next good probe clears it', 'ok fail ok', 'live degraded live', 0],
    ['failures in a row kill', 'ok fail fail', 'live degraded dead', 0],
    ['failures apart do not kill', 'ok fail ok fail ok', 'live degraded live degraded live', 0],
    ['refused kills at once', 'ok refused', 'live dead', 0],
    ['refused at first contact is dead at once', 'refused', 'dead', 0],
    ['first contact that fails once stays unknown', 'fail', 'unknown', 0],
    ['first contact that keeps failing is dead', 'fail fail', 'unknown dead', 0],
    ['a start later than the router is no return', 'refused refused ok', 'dead dead live', 0],
    ['a return is on probation until the next good probe', 'ok refused ok ok', 'live dead degraded live', 1],
    ['one failure on probation kills', 'ok refused ok fail', 'live dead degraded dead', 1],
    ['every return counts', 'ok refused ok refused ok', 'live dead degraded dead degraded', 2],
    ['loading is not dead', 'loading loading ok', 'unknown unknown live', 0],
    ['loading after service is a restart', 'ok loading ok', 'live unknown degraded', 1],
    ['loading ends a row of failures', 'ok fail loading fail', 'live degraded unknown unknown', 0],
  ])('%s', (_title, script, states, epoch) => {
    const result = run(script);
    expect(result.states).toBe(states);
    expect(result.health.epoch).toBe(epoch);
  });

  test('a dead backend needs as many good probes in a row as configured', () => {
    const patient = { ...settings, successes: 3 };
    expect(run('ok refused ok ok fail ok ok ok', patient).states).toBe(
      'live dead dead dead dead dead dead degraded',
    );
  });
});

describe('health by requests', () => {
  test.each([
    ['failed requests in a row kill', 'ok bad bad bad', 'live live live dead'],
    ['a good request ends the row', 'ok bad bad good bad bad', 'live live live live live live'],
    ['one failed request on probation kills', 'ok refused ok bad', 'live dead degraded dead'],
    [
      'a good probe does not bring back before the hold is over',
      'ok bad bad bad ok@500',
      'live live live dead dead',
    ],
    ['a good probe after the hold brings back', 'ok bad bad bad ok@1000', 'live live live dead degraded'],
    [
      'probation after failed requests ends with a good request, not with a probe',
      'ok bad bad bad ok@1000 ok@3000 good@3000',
      'live live live dead degraded degraded live',
    ],
    [
      'requests of a dead backend change nothing',
      'ok refused bad bad bad ok',
      'live dead dead dead dead degraded',
    ],
  ])('%s', (_title, script, states) => {
    expect(run(script).states).toBe(states);
  });

  test('each trip in a row doubles the hold, up to a minute', () => {
    let health = nextHealth(createHealth(), events.ok, settings, 0);
    const holdsMs: number[] = [];
    for (let trip = 0, nowMs = 0; trip < 8; trip++) {
      while (health.state !== 'dead') health = nextHealth(health, events.bad, settings, nowMs);
      holdsMs.push(health.heldUntilMs - nowMs);
      nowMs = health.heldUntilMs;
      health = nextHealth(health, events.ok, settings, nowMs);
      expect(health.state).toBe('degraded');
    }
    expect(holdsMs).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    const relieved = nextHealth(health, events.good, settings, 0);
    expect(relieved).toMatchObject({ state: 'live', trips: 0 });
  });

  test('a good request of a healthy backend keeps the same object', () => {
    const health = nextHealth(createHealth(), events.ok, settings, 0);
    expect(nextHealth(health, events.good, settings, 0)).toBe(health);
  });
});
