import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { eventually, server, startable } from '../../test/processes/harness.ts';
import type { ReadyResult } from './process-state.ts';

type Failed = Extract<ReadyResult, { type: 'failed' }>;

function failed(result: ReadyResult): Failed {
  if (result.type !== 'failed') throw new Error(`Not failed but ${result.type}`);
  return result;
}

/** A server in place of the child's own, on a port that no child is told; gives its address. */
async function listen(answer: RequestListener): Promise<string> {
  const stranger = createServer(answer);
  await new Promise<void>((resolve) => {
    stranger.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    stranger.closeAllConnections();
    stranger.close();
  });
  return `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
}

test('a process becomes ready once for any number of callers, and again for none (PRC-2, PRC-8)', async () => {
  const { process: model, states } = await startable({ cmd: server('--loading-ms 200') });
  const results = await Promise.all(Array.from({ length: 1000 }, () => model.ensureReady()));
  const { state } = model;
  if (state.name !== 'ready') throw new Error(state.name);
  expect(new Set(results.map((result) => JSON.stringify(result)))).toEqual(
    new Set([JSON.stringify({ type: 'ready', generation: 1, pid: state.pid })]),
  );
  expect(await model.ensureReady()).toEqual({ type: 'ready', generation: 1, pid: state.pid });
  expect(state.readyAtMs - state.startedAtMs).toBeGreaterThan(200);
  expect(
    model.output
      .history()
      .toString()
      .match(/server pid/g),
  ).toHaveLength(1);
  expect(states).toEqual(['starting', 'ready']);
});

test('a process starts slowly: refused connections and 503 are waited out', async () => {
  const { process: model, port } = await startable({ cmd: server('--listen-after-ms 200 --loading-ms 200') });
  const result = await model.ensureReady();
  expect(result.type).toBe('ready');
  const answer = await fetch(`http://127.0.0.1:${port}/pid`);
  expect(result).toMatchObject({ pid: Number(await answer.text()) });
});

test('a process with checkEndpoint none is ready as soon as it runs', async () => {
  const { process: model } = await startable({ cmd: server('--never-ready'), checkEndpoint: 'none' });
  expect((await model.ensureReady()).type).toBe('ready');
});

test('a process gets its environment on top of the inherited one, and its working directory', async () => {
  const { process: model } = await startable({
    cmd: `sh -c 'echo "$GREETING from $PWD, $HOME"; sleep 300'`,
    env: { GREETING: 'hello' },
    cwd: '/',
    checkEndpoint: 'none',
  });
  await model.ensureReady();
  const lines = await eventually(() => model.output.lastLines(1)[0]);
  expect(lines).toBe(`hello from /, ${process.env['HOME'] ?? ''}`);
});

test.each([
  ['missing-program --x', "Process 'm' could not be started: no such program: missing-program"],
  ['', "Process 'm' could not be started: Empty command"],
  [`sh -c 'x`, "Process 'm' could not be started: Unclosed ' in the command, before: x"],
])('a process whose command is %j fails with the reason', async (cmd, message) => {
  const { process: model, states } = await startable({ cmd });
  expect(failed(await model.ensureReady())).toMatchObject({ code: 'process_spawn_failed', message });
  expect(states).toEqual(['starting', 'failed']);
});

test('a process is not started while a stranger has its port', async () => {
  const port = Number(new URL(await listen((_, response) => response.end('stranger'))).port);
  const { process: model } = await startable({ cmd: server(), port });
  expect(failed(await model.ensureReady())).toMatchObject({
    code: 'process_spawn_failed',
    message: `Process 'm' could not be started: port ${port} is already in use by another program`,
  });
  expect(model.output.history()).toHaveLength(0);
});

test('a process that ends before it is ready ends the wait at once, with exit code and last lines', async () => {
  const { process: model, states } = await startable({
    cmd: server('--exit-after-ms 0 --exit-code 7'),
    readyTimeoutMs: 600_000,
  });
  expect(failed(await model.ensureReady())).toEqual({
    type: 'failed',
    code: 'process_exited',
    message:
      "Process 'm' ended with exit code 7 before it was ready; last output: loading model | error: cannot load the model",
    exit: { code: 7, signal: null },
    lastLines: ['loading model', 'error: cannot load the model'],
    retryAfterMs: 0,
  });
  expect(states).toEqual(['starting', 'stopping', 'failed']);
});

test('a process that is never ready is ended, and its callers are told what the probe met', async () => {
  const { process: model, states } = await startable({
    cmd: 'sleep 300',
    proxy: await listen((_, response) => response.writeHead(503).end()),
    readyTimeoutMs: 300,
  });
  const result = failed(await model.ensureReady());
  expect(result.code).toBe('process_ready_timeout');
  expect(result.message).toMatch(/^Process 'm' was not ready in time: .*\/health gave .*503 after 0.3 s$/);
  expect(result.exit).toEqual({ code: null, signal: 'SIGTERM' });
  expect(states).toEqual(['starting', 'stopping', 'failed']);
});

test('a process whose probe hangs is given up at its deadline', async () => {
  const proxy = await listen(() => undefined);
  const { process: model } = await startable({ cmd: 'sleep 300', proxy, readyTimeoutMs: 300 });
  expect(failed(await model.ensureReady())).toMatchObject({
    code: 'process_ready_timeout',
    message: expect.stringContaining('no answer within') as string,
  });
});

test('a process that crashes while ready says so, and the next call starts a new one', async () => {
  const { process: model, states } = await startable({ cmd: server() });
  const first = await model.ensureReady();
  if (first.type !== 'ready') throw new Error(first.type);
  process.kill(first.pid, 'SIGKILL');
  const state = await eventually(() => model.state.name === 'failed' && model.state);
  expect(state).toMatchObject({ generation: 1, crashesInRow: 1 });
  expect(state.failure).toMatchObject({
    code: 'process_exited',
    exit: { code: null, signal: 'SIGKILL' },
  });
  expect(state.failure.message).toContain("Process 'm' ended with signal SIGKILL while it was ready");
  expect(await model.ensureReady()).toMatchObject({ type: 'ready', generation: 2 });
  expect(states).toEqual(['starting', 'ready', 'stopping', 'failed', 'starting', 'ready']);
});

test('a process that keeps crashing fails at once during its back-off, with the last reason', async () => {
  const { process: model, states } = await startable({ cmd: server('--exit-after-ms 0 --exit-code 1') });
  expect(failed(await model.ensureReady()).retryAfterMs).toBe(0);
  expect(failed(await model.ensureReady()).retryAfterMs).toBeGreaterThan(0);
  const refused = failed(await model.ensureReady());
  expect(refused).toMatchObject({ code: 'process_exited', exit: { code: 1, signal: null } });
  expect(refused.retryAfterMs).toBeGreaterThan(0);
  expect(refused.retryAfterMs).toBeLessThanOrEqual(1000);
  expect(states.filter((name) => name === 'starting')).toHaveLength(2);
  const again = await eventually(async () => {
    const result = failed(await model.ensureReady());
    return states.filter((name) => name === 'starting').length === 3 && result;
  });
  expect(again.retryAfterMs).toBeGreaterThan(1000);
});

test('a caller that leaves ends only its own wait', async () => {
  const { process: model } = await startable({ cmd: server('--loading-ms 300') });
  const leaving = new AbortController();
  const left = model.ensureReady(leaving.signal);
  const staying = model.ensureReady();
  leaving.abort();
  expect(await left).toEqual({ type: 'aborted', by: 'caller' });
  expect((await staying).type).toBe('ready');
  expect(await model.ensureReady(AbortSignal.abort())).toEqual({ type: 'aborted', by: 'caller' });
});

test('a process that floods its output is never held up by us', async () => {
  const { process: model } = await startable({ cmd: server(`--flood-bytes ${64 * 1024 * 1024}`) });
  await model.ensureReady();
  const stalled = model.output.subscribe();
  await eventually(() => model.output.lastLines(1)[0] === 'flood over');
  expect(model.output.history()).toHaveLength(100 * 1024);
  await stalled.return?.();
});

test('listeners hear every state once and in order, also from one that reacts by starting again', async () => {
  const { process: model } = await startable({ cmd: 'missing-program' });
  const heard: string[] = [];
  const end = model.onState((state) => {
    if (state.name === 'failed' && state.generation === 1) void model.ensureReady();
  });
  model.onState((state) => heard.push(`${state.name} ${state.generation}`));
  await model.ensureReady();
  await eventually(() => heard.length === 4);
  expect(heard).toEqual(['starting 1', 'failed 1', 'starting 2', 'failed 2']);
  end();
});

test('a process closed before it ever ran starts nothing', async () => {
  const { process: model, states } = await startable({ cmd: server() });
  await model.close();
  expect(await model.ensureReady()).toEqual({ type: 'aborted', by: 'close' });
  expect(states).toEqual([]);
});
