/** A model that an agent comes back to every moment, beside somebody who wants another one. Real processes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { chat } from './client.ts';
import { fakeCommand, withModels } from './fake-models.ts';
import { loadsIn } from './model-log.ts';
import { startRouter, until, type TestRouter } from './start-router.ts';

const slow = (id: string) => ({ cmd: fakeCommand(id, '--load-ms 1200') });
const ask = (router: TestRouter, model: string) => chat(router.url, { model, max_tokens: 2 });

/** The agent's habit: a pause of a moment before each of its steps. */
async function steps(router: TestRouter, count: number, pauseMs: number): Promise<void> {
  for (let step = 0; step < count; step += 1) {
    await sleep(pauseMs);
    expect((await ask(router, 'agent').answer).status).toBe(200);
  }
}

test('is kept for the agent while the other one waits, for a bounded time', async () => {
  const models = { agent: slow('agent'), other: slow('other') };
  // Three times as long as the load of the other one is time enough for the agent, on any machine.
  await using router = await startRouter(await withModels(models, { scheduling: { swapHold: 2 } }));
  expect((await ask(router, 'other').answer).status).toBe(200);
  await steps(router, 5, 400);
  const other = ask(router, 'other').answer;
  const kept = async () => {
    const { backends } = await router.status();
    return backends.find(({ id }) => id === 'agent')?.kept_seconds ?? 0;
  };
  await until(async () => (await kept()) > 0);
  await steps(router, 3, 0);
  expect(loadsIn(router.logLines)).toEqual(['other', 'agent']);
  const served = new AbortController();
  void other.then(() => served.abort());
  for (let more = 0; more < 200 && !served.signal.aborted; more += 1) await steps(router, 1, 0);
  expect((await other).status).toBe(200);
  expect(loadsIn(router.logLines).slice(0, 3)).toEqual(['other', 'agent', 'other']);
});

test('goes at once with swapHold 0', async () => {
  const config = await withModels(
    { agent: slow('agent'), other: slow('other') },
    { scheduling: { swapHold: 0 } },
  );
  await using router = await startRouter(config);
  expect((await ask(router, 'other').answer).status).toBe(200);
  await steps(router, 5, 400);
  const other = ask(router, 'other').answer;
  await until(() => loadsIn(router.logLines).length === 3);
  expect((await other).status).toBe(200);
});
