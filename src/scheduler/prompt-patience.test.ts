import { describe, expect, test } from 'vitest';
import { promptOf } from '../../test/scheduler/prompts.ts';
import { Rig, type ViewFields } from '../../test/scheduler/rig.ts';
import type { RequestFacts } from '../domain/request-facts.ts';
import type { SchedulerSettings } from './settings.ts';

/** 16 blocks of 512 bytes: just enough to be worth waiting for. */
const text = 'sixteen letters!';
const cold = { tokens: 100, cachedTokens: 0 };
const hit = { tokens: 100, cachedTokens: 100 };

/** Backends `a`, whose engine has the text cached and every slot in use, and `b` with room. */
class FullRig extends Rig {
  constructor(settings: Partial<SchedulerSettings> = {}, fields: ViewFields = {}) {
    super({ scorers: [{ name: 'prefix-affinity', weight: 1 }], promptPatienceMs: 1000, ...settings });
    for (const id of ['a', 'b']) this.backend(id, { loaded: ['m'], ...fields });
    for (const prompt of [cold, hit]) {
      this.arrive('first', { prompt: promptOf(text), only: new Set(['a']) });
      this.finish('first', { prompt });
    }
    for (let at = 0; at < (fields.slotsTotal ?? 1); at += 1) {
      this.arrive(`busy${at}`, { only: new Set(['a']) });
    }
  }

  ask(id: string, fields: Partial<RequestFacts> = {}): string {
    return this.arrive(id, { prompt: promptOf(`${text}?`), ...fields });
  }
}

describe('a request whose prompt is cached on a full backend', () => {
  test('waits for a slot there although another one is free', () => {
    const rig = new FullRig();
    expect(rig.ask('next')).toBe('');
    expect(rig.snapshot().queued).toMatchObject([{ id: 'next', awaits: 'a', position: 1 }]);
    rig.pass(999);
    expect(rig.finish('busy0')).toBe('next→a');
    expect(rig.grants.at(-1)?.waitedMs).toBe(999);
  });

  test('goes elsewhere when it has waited for its patience, once', () => {
    const rig = new FullRig();
    rig.ask('next');
    expect(rig.pass(999)).toBe('');
    expect(rig.pass(1)).toBe('next→b');
  });

  test('goes elsewhere, and is not given up, when it may not wait that long at all', () => {
    const rig = new FullRig({ queueTimeoutMs: 400 });
    rig.ask('next');
    expect(rig.pass(400)).toBe('next→b');
    rig.ask('last');
    expect(rig.pass(400)).toBe('last✗queueTimeout');
  });

  test('waits on in the queue when nothing else is free by then', () => {
    const rig = new FullRig();
    rig.ask('next');
    rig.arrive('other');
    expect(rig.pass(1000)).toBe('');
    expect(rig.snapshot().queued).toMatchObject([{ id: 'next', awaits: undefined }]);
    expect(rig.finish('other')).toBe('next→b');
  });

  test('holds up nobody who does not wait for that backend', () => {
    const rig = new FullRig();
    rig.ask('next');
    expect(rig.arrive('other')).toBe('other→b');
  });

  test('goes elsewhere in time when that backend dies', () => {
    const rig = new FullRig();
    rig.ask('next');
    rig.backend('a', { state: 'dead' });
    expect(rig.pass(1000)).toBe('next→b');
  });

  test('may go elsewhere at once when it was tried there', () => {
    const rig = new FullRig();
    rig.ask('next');
    rig.finish('busy0');
    expect(rig.retry('next')).toBe('next→b');
  });

  test.each<[string, Partial<SchedulerSettings>, Partial<RequestFacts>]>([
    ['the patience is 0', { promptPatienceMs: 0 }, {}],
    ['nothing rates prompts', { scorers: [] }, {}],
    ['nobody may wait', { queueMax: 0 }, {}],
    ['less of it is cached there', {}, { prompt: promptOf('sixteen letters and more') }],
    ['it may not go there', {}, { only: new Set(['b']) }],
  ])('goes elsewhere at once when %s', (_, settings, fields) => {
    expect(new FullRig(settings).ask('next', fields)).toBe('next→b');
  });

  test('goes elsewhere at once when that one has as much of it', () => {
    const rig = new FullRig();
    rig.arrive('copy', { prompt: promptOf(text), only: new Set(['b']) });
    rig.finish('copy', { prompt: cold });
    expect(rig.ask('next')).toBe('next→b');
  });

  test('goes elsewhere at once when the engine has missed as often as it had what was believed', () => {
    const rig = new FullRig();
    rig.finish('busy0');
    rig.arrive('missed', { prompt: promptOf(text), only: new Set(['a']) });
    rig.finish('missed', { prompt: cold });
    rig.arrive('busy', { only: new Set(['a']) });
    expect(rig.ask('next')).toBe('next→b');
  });

  test('goes elsewhere at once while that backend has far more than its part of the requests', () => {
    const full = { slotsTotal: 4 };
    expect(new FullRig({ promptLoadFactor: 1.25 }, full).ask('next')).toBe('');
    const rig = new FullRig({ promptLoadFactor: 1.25 }, full);
    rig.backend('c', { loaded: ['m'], slotsTotal: 4 });
    expect(rig.ask('next')).toMatch(/^next→[bc]$/);
  });
});
