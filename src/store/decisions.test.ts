import { describe, expect, test } from 'vitest';
import type { Decision } from '../scheduler/decision.ts';
import { createDecisionLog } from './decisions.ts';

function decision(request: string, model: string | undefined, attempt = 1): Decision {
  return {
    request,
    model,
    backend: 'a',
    atMs: 0,
    waitedMs: 0,
    attempt,
    overtook: 0,
    picker: 'max-score',
    candidates: [],
  };
}

describe('decision log', () => {
  test('lists the newest first, at most as many as wanted', () => {
    const log = createDecisionLog({ max: 10 });
    for (const id of ['r1', 'r2', 'r3']) log.add(decision(id, 'm'));
    expect(log.list({ limit: 2 }).map(({ request }) => request)).toEqual(['r3', 'r2']);
  });

  test('forgets the oldest beyond its size', () => {
    const log = createDecisionLog({ max: 2 });
    for (const id of ['r1', 'r2', 'r3']) log.add(decision(id, 'm'));
    expect(log.list({ request: 'r1', limit: 10 })).toEqual([]);
    expect(log.list({ limit: 10 })).toHaveLength(2);
  });

  test('finds every attempt of one request', () => {
    const log = createDecisionLog({ max: 10 });
    log.add(decision('r1', 'm', 1));
    log.add(decision('r2', 'm', 1));
    log.add(decision('r1', 'm', 2));
    expect(log.list({ request: 'r1', limit: 10 }).map(({ attempt }) => attempt)).toEqual([2, 1]);
  });

  test('finds by model before it applies the limit', () => {
    const log = createDecisionLog({ max: 10 });
    log.add(decision('r1', 'wanted'));
    log.add(decision('r2', undefined));
    log.add(decision('r3', 'other'));
    expect(log.list({ model: 'wanted', limit: 1 }).map(({ request }) => request)).toEqual(['r1']);
  });
});
