import { describe, expect, test } from 'vitest';
import { fakeReading, fakeTopRequest } from '../../../test/top/readings.ts';
import type { Key } from './keys.ts';
import { readLogLine } from './log-lines.ts';
import { handleKey, initialState, withLogLines, withoutLog, type TopState } from './top-state.ts';

const fleet = [
  { id: 'desk', loaded: ['qwen3-8b'] },
  { id: 'rack', state: 'draining', loaded: ['gemma3-27b'] },
];
const reading = fakeReading(fleet, [fakeTopRequest('r1'), fakeTopRequest('r2')]);
const start = initialState('127.0.0.1:8700', reading);

/** The state after some keys, and the last effect. */
function press(state: TopState, ...keys: Key[]) {
  let result: ReturnType<typeof handleKey> = { state };
  for (const key of keys) result = handleKey(result.state, key);
  return result;
}

const logLines = (count: number) =>
  Array.from({ length: count }, (_, index) => readLogLine(`line ${index}`, 'upstream'));

test('q ends it, also in the help', () => {
  expect(press(start, 'quit').effect).toEqual({ type: 'quit' });
  expect(press(start, 'help', 'quit').effect).toEqual({ type: 'quit' });
});

test('any key leaves the help and does nothing else', () => {
  const selected = press(start, 'down', 'help').state;
  expect(selected.showsHelp).toBe(true);
  const { state, effect } = press(selected, 'unload');
  expect([state.showsHelp, effect]).toEqual([false, undefined]);
});

describe('panes', () => {
  test('are gone through in both directions, round and round', () => {
    const order = ['requests', 'logs', 'backends', 'models'];
    let { state } = press(start);
    for (const pane of order) {
      state = press(state, 'nextPane').state;
      expect(state.pane).toBe(pane);
    }
    expect(press(state, 'previousPane', 'previousPane').state.pane).toBe('logs');
  });

  test('leave out backends where the router runs all models itself', () => {
    const own = fakeReading([{ id: 'm', process: { pid: 7, ttl_seconds: 0 } }]);
    expect(press(initialState('x', own), 'previousPane').state.pane).toBe('logs');
  });
});

describe('selecting', () => {
  test('starts at the end that one comes from, and stops at both', () => {
    expect(press(start, 'down').state.selected).toEqual({ models: 'gemma3-27b' });
    expect(press(start, 'up').state.selected).toEqual({ models: 'qwen3-8b' });
    expect(press(start, 'down', 'down', 'down').state.selected).toEqual({ models: 'qwen3-8b' });
    expect(press(start, 'pageDown', 'pageUp').state.selected).toEqual({ models: 'gemma3-27b' });
  });

  test('of nothing is possible where there is nothing', () => {
    expect(press(initialState('x', fakeReading([])), 'down').state.selected).toEqual({});
  });

  test('holds on to its row when others come before it', () => {
    const { state } = press(start, 'nextPane', 'down');
    const more = fakeReading(fleet, [fakeTopRequest('r0'), fakeTopRequest('r1'), fakeTopRequest('r2')]);
    expect(press({ ...state, reading: more }, 'cancel').effect).toMatchObject({ action: { id: 'r1' } });
  });
});

describe('acting', () => {
  test.each([
    ['unload', ['down', 'unload'], { verb: 'unload', id: 'gemma3-27b' }],
    ['load', ['down', 'down', 'load'], { verb: 'load', id: 'qwen3-8b' }],
    ['drain', ['previousPane', 'down', 'drain'], { verb: 'drain', id: 'desk' }],
    ['drain, of a backend that drains,', ['previousPane', 'up', 'drain'], { verb: 'resume', id: 'rack' }],
    ['cancel', ['nextPane', 'up', 'cancel'], { verb: 'cancel', id: 'r2' }],
  ] as const)('%s goes to the selected row', (_what, keys, action) => {
    const { state, effect } = press(start, ...keys);
    expect(effect).toEqual({ type: 'act', action });
    expect(state.notice).toBe(`${action.verb} ${action.id} …`);
  });

  test('needs a selected row', () => {
    const { state, effect } = press(start, 'unload');
    expect([effect, state.notice]).toEqual([undefined, 'To unload, select a model first (Tab, arrows)']);
    expect(press(state, 'escape').state.notice).toBeUndefined();
  });

  test('needs the pane of the row to be the one with the keys', () => {
    expect(press(start, 'down', 'nextPane', 'unload').effect).toBeUndefined();
  });

  test('hits no other row when the selected one has gone', () => {
    const { state } = press(start, 'nextPane', 'down');
    const fewer = { ...state, reading: fakeReading(fleet, [fakeTopRequest('r2')]) };
    expect(press(fewer, 'cancel').effect).toBeUndefined();
  });
});

describe('the log', () => {
  const full = withLogLines({ ...start, pane: 'logs' }, logLines(100));

  test('keeps a thousand lines', () => {
    const { log } = withLogLines(full, logLines(1000));
    expect([log.length, log.at(-1)?.text]).toEqual([1000, 'line 999']);
  });

  test('scrolled back stays where it is when lines come', () => {
    const { state } = press(full, 'pageUp', 'up');
    expect(state.logOffset).toBe(11);
    expect(withLogLines(state, logLines(5)).logOffset).toBe(16);
    expect(press(state, 'pageDown', 'pageDown').state.logOffset).toBe(0);
  });

  test('cannot be scrolled beyond its first line', () => {
    let state = full;
    for (let index = 0; index < 20; index += 1) state = press(state, 'pageUp').state;
    expect(state.logOffset).toBe(99);
  });

  test('loses the lines of one source without those of the other', () => {
    const mixed = withLogLines(full, [readLogLine('ours', 'proxy')]);
    expect(withoutLog(mixed, 'upstream').log.map(({ text }) => text)).toEqual(['ours']);
  });
});
