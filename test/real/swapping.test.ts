/** Swapping real llama-servers, by a configuration as llama-swap's users have it. */
import { expect, test } from 'vitest';
import { ask, chat } from '../integration/client.ts';
import { freePorts } from '../integration/free-ports.ts';
import { loadsIn, pidsIn } from '../integration/model-log.ts';
import { startRouter } from '../integration/start-router.ts';
import { isAlive } from '../processes/harness.ts';
import { modelFile } from './gguf.ts';
import { realLlamaServer } from './llama-server.ts';

const { path, missing } = realLlamaServer();

async function config() {
  return {
    startPort: await freePorts(3),
    macros: { server: `${path ?? ''} --host 127.0.0.1 --port \${PORT} --offline -t 1 -c 4096` },
    models: {
      chat: { cmd: `\${server} -m ${modelFile()} --parallel 2 --metrics`, aliases: ['gpt-4o'] },
      thinker: { cmd: `\${server} -m ${modelFile({ template: 'think' })} --parallel 1` },
      missing: { cmd: '${server} -m /nowhere/model.gguf' },
    },
  };
}

test('real servers take turns, and each request gets the model that it asked for', async (context) => {
  context.skip(path === undefined, missing);
  await using router = await startRouter(await config());
  const asked = ['chat', 'thinker', 'gpt-4o', 'thinker', 'chat', 'gpt-4o'];
  const answers = await Promise.all(asked.map((model) => chat(router.url, { model, max_tokens: 12 }).answer));
  expect(answers.map(({ status }) => status)).toEqual(asked.map(() => 200));
  expect(answers.map(({ headers }) => headers['x-llamero-backend'])).toEqual(
    asked.map((name) => (name === 'thinker' ? 'thinker' : 'chat')),
  );
  const loads = router.logLines.filter(({ msg }) => msg === 'Model is loading').map(({ model }) => model);
  expect(loads).toEqual(['chat', 'thinker']);
});

test('three real servers of which one may run are loaded once each for A B C A B C asked at the same time', async (context) => {
  context.skip(path === undefined, missing);
  const ids = ['a', 'b', 'c'];
  const files = ids.map((_, index) => modelFile({ seed: index + 1 }));
  const server = `${path ?? ''} --host 127.0.0.1 --port \${PORT} --offline -t 1 -c 4096 --parallel 2`;
  await using router = await startRouter({
    startPort: await freePorts(3),
    models: Object.fromEntries(
      ids.map((id, index) => [id, { cmd: `${server} -m ${files[index]} -a ${id}` }]),
    ),
    groups: { one: { swap: true, exclusive: true, members: ids } },
  });
  const asked = [...ids, ...ids];
  const asking = asked.map((model) => chat(router.url, { model, max_tokens: 12, temperature: 0 }).answer);
  const seen = watchRunning(router.url);
  const answers = await Promise.all(asking);
  const runningMax = await seen.end();
  expect(answers.map(({ status, headers }) => [status, headers['x-llamero-backend']])).toEqual(
    asked.map((model) => [200, model]),
  );
  expect(answers.map((answer) => answer.json()['model'])).toEqual(asked);
  const texts = answers.map((answer) => (answer.json() as unknown as Completion).choices[0].message.content);
  expect(texts.every((text) => text.length > 0)).toBe(true);
  expect(texts.slice(3)).toEqual(texts.slice(0, 3));
  expect(new Set(texts).size).toBe(3);
  const pids = pidsIn(router.logLines);
  expect([loadsIn(router.logLines).sort(), new Set(pids).size, runningMax]).toEqual([ids, 3, 1]);
  expect(pids.filter(isAlive)).toEqual(pids.slice(-1));
});

test('the slots of a real server are read once it runs', async (context) => {
  context.skip(path === undefined, missing);
  await using router = await startRouter(await config());
  await chat(router.url, { model: 'chat', max_tokens: 2 }).answer;
  const { backends } = await router.status();
  expect(backends.find(({ id }) => id === 'chat')).toMatchObject({
    state: 'live',
    engine: 'llamacpp',
    slots: { total: 2, free: 2 },
  });
  expect(backends.find(({ id }) => id === 'thinker')).toMatchObject({ state: 'stopped' });
  const listed = (await ask(`${router.url}/v1/models`).answer).json() as {
    data: { id: string; status: { value: string } }[];
  };
  expect(Object.fromEntries(listed.data.map(({ id, status }) => [id, status.value]))).toEqual({
    chat: 'loaded',
    missing: 'unloaded',
    thinker: 'unloaded',
  });
});

test('the last words of a real server that cannot load its model are in the answer', async (context) => {
  context.skip(path === undefined, missing);
  await using router = await startRouter(await config());
  const answer = await chat(router.url, { model: 'missing' }).answer;
  expect([answer.status, answer.json()]).toMatchObject([502, { error: { code: 'process_exited' } }]);
  expect(answer.body.toString()).toMatch(/exit code 1.*nowhere/);
});

interface Completion {
  readonly choices: readonly [{ readonly message: { readonly content: string } }];
}

/** Looks again and again how many models are ready at once; `end` gives the most there were. */
function watchRunning(url: string): { end(): Promise<number> } {
  let most = 0;
  const over = new AbortController();
  const watching = (async () => {
    while (!over.signal.aborted) {
      const { running } = (await ask(`${url}/running`).answer).json() as { running: { state: string }[] };
      most = Math.max(most, running.filter(({ state }) => state === 'ready').length);
    }
  })();
  return {
    async end() {
      over.abort();
      await watching;
      return most;
    },
  };
}
