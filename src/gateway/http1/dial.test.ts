import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { dialTarget } from './dial.ts';

/** Linux counts timers of sockets in hundredths of a second. */
const ticksPerS = 100;
const keepaliveTimer = '02';

/** Seconds until the system asks the other end of a connection; undefined = it will not. */
function probeInS({ localPort = 0, remotePort = 0 }: Socket): number | undefined {
  const rows = readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  // An older connection from the same port to somebody else may still be listed.
  const row = rows.find(([, local, remote]) => portOf(local) === localPort && portOf(remote) === remotePort);
  const [, , , , , timer = ''] = row ?? [];
  const [kind, ticks = ''] = timer.split(':');
  return kind === keepaliveTimer ? Number.parseInt(ticks, 16) / ticksPerS : undefined;
}

function portOf(address: string | undefined): number {
  return Number.parseInt(address?.split(':')[1] ?? '', 16);
}

test.for([
  [30, 30],
  [90, 90],
  [0, 15],
] as const)(
  'a target that says %d s has silent connections probed after %d s',
  async ([wanted, seconds], context) => {
    context.skip(process.platform !== 'linux', 'only Linux tells of timers of sockets');
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const target = { url: new URL(`http://127.0.0.1:${port}`), probeAfterMs: wanted * 1000 };
    const socket = await new Promise<ReturnType<typeof dialTarget>>((resolve) => {
      const dialed = dialTarget(target, { onReady: () => resolve(dialed) });
    });
    const waits = probeInS(socket);
    socket.destroy();
    server.close();
    expect(waits).toBeGreaterThan(seconds - 5);
    expect(waits).toBeLessThanOrEqual(seconds);
  },
);

test('bytes that a socket gave stay as they were, whatever comes after them and to whom', async () => {
  const server = createServer((socket) => {
    let count = 0;
    socket.on('data', (bytes) => {
      count += 1;
      socket.write(bytes.toString().repeat(1000));
      if (count === 3) socket.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const target = { url: new URL(`http://127.0.0.1:${port}`), probeAfterMs: 0 };
  const talk = async (words: readonly string[]): Promise<string> => {
    const pieces: Buffer[] = [];
    const events = { onReady: () => say(), onBytes: (bytes: Buffer) => (pieces.push(bytes), say()) };
    const socket = dialTarget(target, events);
    const say = (): void => {
      const said = Buffer.concat(pieces).length;
      const word = words[said / 3000];
      if (word !== undefined) socket.write(word);
    };
    await once(socket, 'end');
    return Buffer.concat(pieces).toString();
  };
  const said = await Promise.all([talk(['abc', 'def', 'ghi']), talk(['jkl', 'mno', 'pqr'])]);
  server.close();
  const thousand = (...words: string[]): string => words.map((word) => word.repeat(1000)).join('');
  expect(said).toEqual([thousand('abc', 'def', 'ghi'), thousand('jkl', 'mno', 'pqr')]);
});
