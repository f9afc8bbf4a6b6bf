import { describe, expect, test } from 'vitest';
import { promptOf } from '../../test/scheduler/prompts.ts';
import { facts, Rig } from '../../test/scheduler/rig.ts';
import type { ViewFields } from '../../test/scheduler/rig.ts';
import type { PromptReport } from '../domain/prompt-chain.ts';
import type { PromptsReading, PromptTally } from './prompt-caches.ts';

const scorers = [
  { name: 'prefix-affinity', weight: 2 },
  { name: 'free-slot-share', weight: 1 },
];

/** Two backends of four slots; `serve` sends one request and ends it. */
class Fleet extends Rig {
  #served = 0;

  constructor(fields: ViewFields = {}) {
    super({ scorers });
    this.backend('a', { slotsTotal: 4, loaded: ['m'], ...fields });
    this.backend('b', { slotsTotal: 4, loaded: ['m'], ...fields });
  }

  /** Returns where it went. */
  begin(id: string, text: string): string {
    return this.arrive(id, { prompt: promptOf(text) }).replace(`${id}→`, '');
  }

  end(id: string, prompt?: PromptReport): void {
    this.finish(id, prompt && { prompt });
  }

  serve(text: string, prompt: PromptReport | undefined = { tokens: 0, cachedTokens: undefined }): string {
    this.#served += 1;
    const id = `r${this.#served}`;
    const where = this.begin(id, text);
    this.end(id, prompt);
    return where;
  }

  shares(text: string): Record<string, number> {
    const traces = this.scheduler.explain(facts('asked', { prompt: promptOf(text) }), this.nowMs);
    return Object.fromEntries(
      traces.map(({ backend, scores }) => [backend, scores['prefix-affinity'] ?? -1]),
    );
  }

  prompts(): PromptsReading {
    return this.scheduler.readAffinity({ nowMs: this.nowMs, sessionsMax: 0 }).prompts;
  }

  tally(backend: string): PromptTally | undefined {
    return this.prompts().backends.get(backend)?.tally;
  }
}

describe('what backends have cached', () => {
  test('is the longest beginning that they have read, as a share of the prompt', () => {
    const fleet = new Fleet();
    fleet.serve('system');
    fleet.serve('systemone');
    expect(fleet.shares('systemtwo')).toEqual({ a: 6 / 9, b: 0 });
    expect(fleet.shares('systemoneagain')).toEqual({ a: 9 / 14, b: 0 });
    expect(fleet.shares('other')).toEqual({ a: 0, b: 0 });
  });

  test('draws what goes on from it, wherever turns would lead', () => {
    const fleet = new Fleet();
    const first = fleet.serve('abc');
    const turns = ['abcd', 'abcde', 'abcdef', 'abcdefg'].map((text) => fleet.serve(text));
    expect(turns).toEqual([first, first, first, first]);
  });

  test('is nothing before a prompt was read: a request that failed, or one that runs, leaves nothing', () => {
    const fleet = new Fleet();
    fleet.begin('failed', 'abc');
    fleet.end('failed');
    expect(fleet.shares('abc')).toEqual({ a: 0, b: 0 });
    fleet.begin('runs', 'abc');
    expect(fleet.shares('abc')).toEqual({ a: 0, b: 0 });
  });

  test('does not count while it is read for somebody else, so that cold twins do not share a backend', () => {
    const fleet = new Fleet();
    expect(new Set([fleet.begin('one', 'abc'), fleet.begin('two', 'abc')]).size).toBe(2);
    fleet.end('one', { tokens: 30, cachedTokens: 0 });
    const where = fleet.begin('three', 'abcdef');
    expect(fleet.shares('abcdef')[where]).toBe(0);
    fleet.end('three', { tokens: 60, cachedTokens: 30 });
    expect(fleet.shares('abcdef')[where]).toBe(1);
  });

  test('counts while it is used where all requests share one cache', () => {
    const fleet = new Fleet({ sharesPrompts: true });
    fleet.serve('abc');
    const where = fleet.begin('runs', 'abcdef');
    expect(fleet.shares('abcdef')[where]).toBe(3 / 6);
  });

  test('is corrected by a miss that the engine reports, also for what begins alike', () => {
    const fleet = new Fleet();
    fleet.serve('sysone', { tokens: 60, cachedTokens: 0 });
    fleet.serve('systwo', { tokens: 60, cachedTokens: 30 });
    expect(fleet.shares('sysone')).toEqual({ a: 1, b: 0 });
    fleet.serve('systen', { tokens: 60, cachedTokens: 0 });
    expect(fleet.shares('sysone')).toEqual({ a: 3 / 6, b: 0 });
    expect(fleet.shares('systen')).toEqual({ a: 1, b: 0 });
    expect(fleet.tally('a')).toEqual({
      hits: 1,
      misses: 1,
      cold: 1,
      untold: 0,
      promptTokens: 180,
      predictedTokens: 30 + 40,
      cachedTokens: 30,
      forgotten: 9,
      evicted: 0,
    });
  });

  test('is confirmed by a hit, and taken for true where the engine does not tell', () => {
    const fleet = new Fleet();
    fleet.serve('abc', { tokens: 30, cachedTokens: 0 });
    fleet.serve('abcdef', { tokens: 60, cachedTokens: 29 });
    fleet.serve('abcdef');
    expect(fleet.shares('abcdef')).toEqual({ a: 1, b: 0 });
    expect(fleet.tally('a')).toMatchObject({ hits: 1, misses: 0, cold: 1, untold: 1 });
  });

  test.each<[string, (fleet: Fleet) => void]>([
    ['its engine came back from the dead', (fleet) => fleet.backend('a', { slotsTotal: 4, epoch: 1 })],
    [
      'its model was unloaded',
      (fleet) => {
        fleet.backend('a', { slotsTotal: 4, loaded: ['m'] });
        fleet.backend('a', { slotsTotal: 4, loaded: [] });
      },
    ],
    [
      'it left and came back',
      (fleet) => {
        fleet.remove('a');
        fleet.backend('a', { slotsTotal: 4 });
      },
    ],
    [
      'the memory for it was changed',
      (fleet) => {
        fleet.configure({ scorers, promptBytesMax: 32 * 1024 });
      },
    ],
  ])('is forgotten when %s', (_what, happens) => {
    const fleet = new Fleet();
    fleet.serve('abc');
    expect(fleet.shares('abc')).toEqual({ a: 1, b: 0 });
    happens(fleet);
    expect(Object.values(fleet.shares('abc'))).toEqual([0, 0]);
  });

  test('is not told by a request that began before its engine was away', () => {
    const fleet = new Fleet();
    fleet.begin('old', 'abc');
    fleet.backend('a', { slotsTotal: 4, epoch: 1 });
    fleet.end('old', { tokens: 30, cachedTokens: 0 });
    expect(fleet.shares('abc')).toEqual({ a: 0, b: 0 });
  });

  test('is not remembered without memory for it', () => {
    const fleet = new Fleet();
    fleet.configure({ scorers, promptBytesMax: 0 });
    fleet.serve('abc');
    expect(fleet.prompts()).toEqual({ blocksMax: 0, bytes: 0, backends: new Map() });
  });
});

describe('a popular beginning', () => {
  test('draws requests up to its part of the load, and spreads then', () => {
    const fleet = new Fleet({ sharesPrompts: true });
    fleet.backend('c', { slotsTotal: 4, loaded: ['m'], sharesPrompts: true });
    fleet.serve('popular');
    const places = ['1', '2', '3', '4', '5', '6'].map((id) => fleet.begin(id, `popular${id}`));
    expect(places.map((place) => place === 'a')).toEqual([true, true, true, false, true, false]);
  });

  test('piles up where the load does not matter', () => {
    const fleet = new Fleet({ sharesPrompts: true });
    fleet.configure({ scorers, promptLoadFactor: Infinity });
    fleet.serve('popular');
    const places = ['1', '2', '3', '4'].map((id) => fleet.begin(id, `popular${id}`));
    expect(places).toEqual(['a', 'a', 'a', 'a']);
  });
});
