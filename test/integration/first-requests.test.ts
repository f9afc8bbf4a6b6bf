/** Many clients that want a stopped model at the same moment. */
import { expect, test } from 'vitest';
import { isAlive, here as programs } from '../processes/harness.ts';
import { freePorts } from './free-ports.ts';
import { ask, chat } from './client.ts';
import { loadsIn, pidsIn } from './model-log.ts';
import { startRouter } from './start-router.ts';

const clients = 1000;

test(`RTR-3 ${clients} first requests at once start one process, and each of them is answered`, async () => {
  const cmd = `${process.execPath} ${programs}/model-server.ts --port \${PORT} --listen-after-ms 500 --loading-ms 1000`;
  await using router = await startRouter({
    startPort: await freePorts(1),
    models: { slow: { cmd } },
    log: { level: 'info', format: 'json', requests: false },
  });
  const asking = Array.from({ length: clients }, () => chat(router.url, { model: 'slow' }).answer);
  const answers = await Promise.all(asking);
  const [pid] = pidsIn(router.logLines);
  expect(loadsIn(router.logLines)).toEqual(['slow']);
  expect(isAlive(Number(pid))).toBe(true);
  const seen = new Map<string, number>();
  for (const { status, complete, body } of answers) {
    const text = (JSON.parse(body.toString()) as { choices?: { message: { content: string } }[] })
      .choices?.[0];
    const kind = `${status} ${complete ? 'whole' : 'cut'} ${text?.message.content ?? body.toString()}`;
    seen.set(kind, (seen.get(kind) ?? 0) + 1);
  }
  expect([...seen]).toEqual([[`200 whole ${pid}`, clients]]);
  const log = ask(`${router.url}/logs/stream/slow`);
  const [history] = (await (await log.head).take(1).toArray()) as Buffer[];
  log.leave();
  expect(history?.toString().match(/server pid \d+/g)).toEqual([`server pid ${pid}`]);
});
