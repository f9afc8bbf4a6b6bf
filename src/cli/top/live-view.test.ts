import { describe, expect, test } from 'vitest';
import { until } from '../../../test/integration/start-router.ts';
import { createFakeTerminal } from '../../../test/top/fake-terminal.ts';
import { fakeReading } from '../../../test/top/readings.ts';
import type { Signal } from '../io.ts';
import { runLiveView } from './live-view.ts';
import { RouterFault } from '../router/router-request.ts';
import type { Action, LogSource, RouterClient } from './router-client.ts';

const escape = '\u001b';
const left = `${escape}[?25h${escape}[?1049l`;
const reading = fakeReading([{ id: 'tiny', process: { pid: 7, ttl_seconds: 0 } }]);

/** `fault`: thrown by the next readings while it is set. */
function watch(env: Readonly<Record<string, string>> = {}) {
  const terminal = createFakeTerminal();
  const signals = new Map<Signal, () => void>();
  const actions: Action[] = [];
  const logs = new Map<LogSource, (text: string) => void>();
  const fake: { fault: Error | undefined } = { fault: undefined };
  const client: RouterClient = {
    read: () => (fake.fault === undefined ? Promise.resolve(reading) : Promise.reject(fake.fault)),
    recentLog: () => Promise.resolve(''),
    followLog(source, onText, signal) {
      logs.set(source, onText);
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
    },
    act(action) {
      actions.push(action);
      return action.verb === 'load' ? Promise.reject(new RouterFault('No room')) : Promise.resolve();
    },
  };
  const ended = runLiveView({
    client,
    address: '127.0.0.1:8700',
    first: reading,
    intervalMs: 10,
    terminal: terminal.io,
    io: {
      env,
      onSignal(signal, listener) {
        signals.set(signal, listener);
        return () => void signals.delete(signal);
      },
    },
  });
  const shows = (text: string) => until(() => terminal.written().includes(text));
  return { terminal, signals, actions, logs, fake, ended, shows };
}

type Watched = ReturnType<typeof watch>;

function expectRestored({ terminal, signals }: Watched): void {
  expect(terminal.written().endsWith(left)).toBe(true);
  expect([terminal.isRaw(), signals.size, terminal.exitListeners.size]).toEqual([false, 0, 0]);
}

describe('the live view ends and restores the terminal', () => {
  test.each([
    ['at q', (view: Watched) => view.terminal.press('q')],
    ['at Ctrl-C', (view: Watched) => view.terminal.press('\u0003')],
    ['at SIGTERM', (view: Watched) => view.signals.get('SIGTERM')?.()],
    ['at SIGHUP', (view: Watched) => view.signals.get('SIGHUP')?.()],
    ['when the terminal hangs up', (view: Watched) => view.terminal.leave()],
  ])('%s', async (_what, end) => {
    const view = watch();
    await view.shows('tiny');
    end(view);
    await view.ended;
    expectRestored(view);
  });

  test('at a fault of its own, which it does not hide', async () => {
    const view = watch();
    await view.shows('tiny');
    view.fake.fault = new TypeError('a fault of ours');
    await expect(view.ended).rejects.toThrow('a fault of ours');
    expectRestored(view);
  });
});

test('the live view says that the router is gone, and when it is back', async () => {
  const view = watch();
  await view.shows('tiny');
  view.fake.fault = new RouterFault('No answer (ECONNREFUSED)');
  await view.shows('No answer (ECONNREFUSED); trying again');
  const { length } = view.terminal.written();
  view.fake.fault = undefined;
  // What was in the line of the fault is there again.
  await until(() => view.terminal.written().slice(length).includes(`${escape}[3;1H`));
  view.terminal.press('q');
  await view.ended;
});

test('the live view does what keys ask for, and says what came of it', async () => {
  const view = watch();
  await view.shows('tiny');
  view.terminal.press('ju');
  await view.shows('unload tiny: ok');
  view.terminal.press('l');
  await view.shows('load tiny: No room');
  expect(view.actions).toEqual([
    { verb: 'unload', id: 'tiny' },
    { verb: 'load', id: 'tiny' },
  ]);
  view.terminal.press('q');
  await view.ended;
});

test('the live view shows both logs as they grow', async () => {
  const view = watch();
  await until(() => view.logs.size === 2);
  view.logs.get('upstream')?.('tensors loaded\n');
  view.logs.get('proxy')?.('{"level":"info","msg":"listening","port":1}\n');
  await view.shows('tensors loaded');
  await view.shows('listening port=1');
  view.terminal.press('q');
  await view.ended;
});

test('the live view draws anew on another size', async () => {
  const view = watch();
  await view.shows('u unload');
  view.terminal.resize(30, 12);
  await view.shows(`${escape}[12;1H`);
  view.terminal.press('q');
  await view.ended;
});

test.each([
  [{}, true],
  [{ NO_COLOR: '' }, true],
  [{ NO_COLOR: '1' }, false],
  [{ TERM: 'dumb' }, false],
])('with the environment %j colors are used: %s', async (env, colored) => {
  const view = watch(env);
  await view.shows('tiny');
  view.terminal.press('q');
  await view.ended;
  expect(view.terminal.written().includes(`${escape}[2m`)).toBe(colored);
});
