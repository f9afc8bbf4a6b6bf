import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { dialTarget } from './dial.ts';

/** Linux counts timers of sockets in hundredths of a second. */
const ticksPerS = 100;
const keepaliveTimer = '02';

/** Seconds until the system asks the other end of the connection with this local port; undefined = it will not. */
function probeInS(port: number): number | undefined {
  const rows = readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const [, , , , , timer = ''] = rows.find((row) => row[1]?.endsWith(`:${hexPort}`)) ?? [];
  const [kind, ticks = ''] = timer.split(':');
  return kind === keepaliveTimer ? Number.parseInt(ticks, 16) / ticksPerS : undefined;
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
      const dialed = dialTarget(target, () => resolve(dialed));
    });
    const waits = probeInS(socket.localPort ?? 0);
    socket.destroy();
    server.close();
    expect(waits).toBeGreaterThan(seconds - 5);
    expect(waits).toBeLessThanOrEqual(seconds);
  },
);
