import { expect, test } from 'vitest';
import { model } from '../test/resolved-models.ts';
import { ModelHandles } from './app-models.ts';
import { noModels } from './config/models.ts';
import type { ProcessState } from './process/process-state.ts';
import type { ProcessBackend } from './supply/process-backend.ts';

const stopped: ProcessState = { name: 'stopped', generation: 1, exit: undefined, reason: 'unload' };
const starting: ProcessState = { name: 'starting', generation: 2, startedAtMs: 0, pid: undefined };
const ready: ProcessState = { name: 'ready', generation: 1, startedAtMs: 0, readyAtMs: 0, pid: 7 };

/** Handles of one model whose process is a puppet; `onUnload` is what being asked to unload does. */
function puppet(first: ProcessState, onUnload: (tell: (...states: readonly ProcessState[]) => void) => void) {
  let state = first;
  const listeners = new Set<(state: ProcessState) => void>();
  const process = {
    get state() {
      return state;
    },
    onState(listener: (state: ProcessState) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const backend = { process, model: model('m', { unloadTimeoutMs: 10 }) } as unknown as ProcessBackend;
  const handles = new ModelHandles({
    config: () => noModels,
    processes: { get: () => backend },
    dispatcher: {
      foreseeLoad: () => undefined,
      snapshot: () => {
        throw new Error('Nobody asks for it');
      },
      requestUnload: () =>
        onUnload((...states) => {
          // All of it has happened when the first is told.
          state = states.at(-1) ?? state;
          for (const each of states) for (const listener of listeners) listener(each);
        }),
    },
    names: { find: () => undefined },
    load: () => Promise.resolve(),
    killMsMax: 20,
  });
  return { handles, listeners };
}

test('an unload resolves when the process stops, even if it is started again at once', async () => {
  const { handles, listeners } = puppet(ready, (tell) => tell(stopped, starting));
  expect([await handles.unload('m'), listeners.size]).toEqual([true, 0]);
});

test('an unload of what does not run is done', async () => {
  expect(await puppet(stopped, () => {}).handles.unload('m')).toBe(true);
});

test('an unload gives up on a process that outlives its time and its kill', async () => {
  const { handles, listeners } = puppet(ready, () => {});
  expect([await handles.unload('m'), listeners.size]).toEqual([false, 0]);
});
