/** Ports for programs that are told theirs: a row of them that nobody has, where the system gives out none by itself. */
import { createServer } from 'node:net';

/** Below the range of ports that outgoing connections get (Linux: from 32768 on). */
const first = 12_000;
const last = 30_000;
const triesMax = 100;

/** The first of `count` free ports in a row. They are not kept: whoever is told one should take it soon. */
export async function freePorts(count: number): Promise<number> {
  for (let tries = 0; tries < triesMax; tries += 1) {
    const start = first + Math.floor(Math.random() * (last - first));
    const row = Array.from({ length: count }, (_, index) => start + index);
    if ((await Promise.all(row.map(isFree))).every(Boolean)) return start;
  }
  throw new Error(`no ${count} free ports in a row`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
}
