import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Peer } from './pinned-process.ts';
import type { LoadCommand, LoadCount } from './protocol.ts';
import { scenarios, verifyAndWarmUp } from './scenarios.ts';
import type { Rig } from './scenarios.ts';
import type { RunningStack } from './stacks.ts';

const stub = new Peer<object, { openStreams: number; port?: number }>(
  'stub',
  join(import.meta.dirname, 'stub-engine.ts'),
);
const load = new Peer<LoadCommand, LoadCount>('load', join(import.meta.dirname, 'load.ts'));
const rig: Rig = { stub, load, pace: 0.1 };
let direct: RunningStack;

beforeAll(async () => {
  const { port } = await stub.next();
  direct = { name: 'direct', port: port ?? 0, pid: undefined, close: () => Promise.resolve() };
});

afterAll(() => Promise.all([stub.close(), load.close()]));

test('the load client gets whole streams and whole answers from the stub engine', async () => {
  await verifyAndWarmUp(direct, rig);
  expect((await stub.ask({})).openStreams).toBe(0);
});

test('the latency scenario sends 500 requests per second', async () => {
  const latency = scenarios.find(({ name }) => name === 'latency');
  const figures = await latency?.run(direct, rig);
  expect(figures?.['p50']).toBeGreaterThan(0);
  expect(figures?.['p99']).toBeGreaterThanOrEqual(figures?.['p50'] ?? 0);
});

test.each([
  ['a wrong status', (): [number, string] => [503, '{}'], 'status 503'],
  ['a short answer', (): [number, string] => [200, '{}'], '2 bytes instead of'],
])('a scenario with %s fails instead of giving figures', async (_what, reply, message) => {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const [status, body] = reply();
      response.writeHead(status, { 'content-length': body.length }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stack: RunningStack = { ...direct, port, pid: process.pid };
  const oneKilobyte = scenarios.find(({ name }) => name === 'request-1k');
  await expect(oneKilobyte?.run(stack, rig)).rejects.toThrow(message);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test('the stub engine answers the probes of a llama.cpp router', async () => {
  const get = async (path: string): Promise<unknown> =>
    (await fetch(`http://127.0.0.1:${direct.port}${path}`)).json();
  expect(await get('/health')).toEqual({ status: 'ok' });
  expect(await get('/v1/models')).toMatchObject({ data: [{ id: 'bench', owned_by: 'llamacpp' }] });
  expect(await get('/slots')).toHaveLength(2048);
  expect(await get('/props')).toMatchObject({ total_slots: 2048, is_sleeping: false });
});
