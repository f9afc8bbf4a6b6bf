import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../../test/processes/harness.ts';
import { unknownGpu, type HostReading, type HostSampler } from '../../domain/host-reading.ts';
import { monitorBody } from './monitor-body.ts';
import { createMonitorClient } from './monitor-client.ts';

const reading = (percent: number): HostReading => ({
  atEpochMs: 0,
  system: undefined,
  gpus: [{ ...unknownGpu({ index: 0, vendor: 'nvidia', name: 'A' }), utilizationPercent: percent }],
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const telling =
  (percent: number, ageMs = 0): Handler =>
  (_request, response) => {
    response.end(JSON.stringify(monitorBody(reading(percent), ageMs)));
  };

async function setUp(handler: Handler, path = '', key?: string) {
  const state = { handler, nowMs: 100_000, asked: 0 };
  const server = createServer((request, response) => {
    state.asked += 1;
    state.handler(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const says: string[] = [];
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
  const client: HostSampler = createMonitorClient({
    url,
    key,
    clock: { nowMs: () => state.nowMs, epochMs: () => 1_000_000 + state.nowMs },
    log: {
      info: (_details, message) => says.push(message),
      warn: (details, message) => says.push(`${message}: ${String(details['problem'])}`),
    },
    intervalMs: 10,
    timeoutMs: 200,
  });
  onTestFinished(async () => {
    await client.close();
    server.close();
    server.closeAllConnections();
  });
  return { client, state, says, url, server };
}

const percentOf = (client: HostSampler) => client.latest()?.gpus[0]?.utilizationPercent;

describe('a monitor of another machine', () => {
  test('is asked again and again, and tells those who listen', async () => {
    const { client, state } = await setUp(telling(40));
    const seen: (number | undefined)[] = [];
    const off = client.subscribe(({ gpus }) => seen.push(gpus[0]?.utilizationPercent));
    await eventually(() => percentOf(client) === 40);
    state.handler = telling(70);
    await eventually(() => percentOf(client) === 70);
    expect(seen).toContain(70);
    off();
    const count = seen.length;
    const asked = state.asked;
    await eventually(() => state.asked >= asked + 3);
    expect(seen).toHaveLength(count);
  });

  test('is asked at /metrics with its key, or at the path that is given', async () => {
    const heads: unknown[] = [];
    const handler: Handler = (request, response) => {
      heads.push([request.url, request.headers.authorization]);
      telling(1)(request, response);
    };
    const one = await setUp(handler, '', 'hush');
    await eventually(() => percentOf(one.client) === 1);
    expect(heads[0]).toEqual(['/metrics', 'Bearer hush']);
    const other = await setUp(handler, '/proxy/gpu');
    await eventually(() => percentOf(other.client) === 1);
    expect(heads).toContainEqual(['/proxy/gpu', undefined]);
  });

  test('that falls silent is unknown after ten seconds, and said once', async () => {
    const { client, state, says } = await setUp(telling(40));
    await eventually(() => percentOf(client) === 40);
    state.handler = (_request, response) => response.writeHead(502).end();
    await eventually(() => says.length > 0);
    const asked = state.asked;
    state.nowMs += 9000;
    expect(percentOf(client)).toBe(40);
    state.nowMs += 2000;
    expect(client.latest()).toBeUndefined();
    await eventually(() => state.asked >= asked + 3);
    expect(says).toEqual(['The monitor of a host does not answer: answered with 502']);
    state.handler = telling(50);
    await eventually(() => percentOf(client) === 50);
    expect(says[1]).toBe('The monitor of a host answers again');
  });

  test('whose own reading is old counts as that old', async () => {
    const { client, state } = await setUp(telling(40, 9000));
    await eventually(() => percentOf(client) === 40);
    expect(client.latest()?.atEpochMs).toBe(1_000_000 + state.nowMs - 9000);
    state.handler = telling(40, 11_000);
    await eventually(() => client.latest() === undefined);
  });

  test.each<[string, Handler, RegExp]>([
    ['garbage', (_, response) => response.end('<html>'), /JSON/],
    ['something else', (_, response) => response.end('{"status":"healthy"}'), /invalid|expected/i],
    ['too much', (_, response) => response.end('x'.repeat(1_100_000)), /more than 1000000 bytes/],
    ['nothing', () => {}, /timeout/],
    [
      'half an answer',
      (_, response) => response.writeHead(200, { 'content-length': 9 }).write('{'),
      /timeout/,
    ],
    [
      'a way to somebody else',
      (_, response) => response.writeHead(302, { location: '/x' }).end(),
      /redirect/,
    ],
    ['an end', (request) => request.socket.destroy(), /closed|hang up|ECONNRESET/],
  ])('may answer with %s', async (_, handler, problem) => {
    const { client, says } = await setUp(handler);
    await eventually(() => says.length > 0);
    expect(says[0]).toMatch(problem);
    expect(client.latest()).toBeUndefined();
  });

  test('is left alone after the end, also in the middle of an answer', async () => {
    const { client, state } = await setUp(() => {});
    await eventually(() => state.asked === 1);
    await client.close();
    expect(state.asked).toBe(1);
    expect(client.latest()).toBeUndefined();
  });
});
