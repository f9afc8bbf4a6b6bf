/** The process of a model is killed while its stream runs. */
import { describe, expect, test } from 'vitest';
import { isAlive } from '../processes/harness.ts';
import { ask, chat } from './client.ts';
import { fakeCommand, withModels } from './fake-models.ts';
import { pidsIn } from './model-log.ts';
import { startRouter, until } from './start-router.ts';

const messages = [{ role: 'user', content: 'tell me of the river' }];

describe('PRC-9 a model process that is killed in the middle of a stream', () => {
  test.each<[string, object, RegExp]>([
    [
      '/v1/chat/completions',
      { messages, max_tokens: 2000 },
      /\n\ndata: \{"error":\{"message":"[^"]+","type":"server_error","param":null,"code":"backend_reset"\}\}\n\n$/,
    ],
    [
      '/v1/responses',
      { input: 'tell me of the river', max_output_tokens: 2000 },
      /\n\nevent: error\ndata: \{"type":"error","code":"backend_reset","message":"[^"]+","param":null[^\n]*\}\n\n$/,
    ],
    [
      '/v1/messages',
      { messages, max_tokens: 2000 },
      /\n\nevent: error\ndata: \{"type":"error","error":\{"type":"api_error","message":"[^"]+"[^\n]*\}\n\n$/,
    ],
  ])('ends %s with an error event and without an end', async (path, body, event) => {
    await using router = await startRouter(
      await withModels({ a: { cmd: fakeCommand('a', '--tokens-per-s 50') }, other: {} }),
    );
    let seen = 0;
    const options = { body: { model: 'a', stream: true, ...body }, onChunk: () => (seen += 1) };
    const { answer } = ask(router.url + path, options);
    await until(() => seen > 5);
    const [pid = 0] = pidsIn(router.logLines, 'a');
    process.kill(pid, 'SIGKILL');
    const { status, complete, body: text } = await answer;
    expect([status, complete]).toEqual([200, false]);
    expect(text.toString()).toMatch(event);
    await until(() => !isAlive(pid));

    const reason = async () => (await router.status()).backends.find(({ id }) => id === 'a')?.reason ?? '';
    await until(async () => /signal SIGKILL/.test(await reason()));
    const row = router.logLines.find(({ msg }) => msg === 'request');
    expect(row).toMatchObject({ outcome: 'failed_midstream', status: 200 });

    const next = await chat(router.url, { model: 'a', max_tokens: 2 }).answer;
    expect([next.status, next.complete]).toEqual([200, true]);
    const pids = pidsIn(router.logLines, 'a');
    expect(pids).toHaveLength(2);
    expect(pids[1]).not.toBe(pid);
    expect((await chat(router.url, { model: 'other', max_tokens: 2 }).answer).status).toBe(200);
  });

  test('tells its last words and its exit code where it ended by itself', async () => {
    const dying = `sh -c 'trap "echo no memory left >&2; exit 7" USR1; "$@" & wait' sh ${fakeCommand('a', '--tokens-per-s 50')}`;
    await using router = await startRouter(await withModels({ a: { cmd: dying } }));
    let seen = 0;
    const { answer } = chat(
      router.url,
      { model: 'a', stream: true, max_tokens: 2000 },
      { onChunk: () => (seen += 1) },
    );
    await until(() => seen > 5);
    process.kill(pidsIn(router.logLines, 'a')[0] ?? 0, 'SIGUSR1');
    expect((await answer).complete).toBe(false);
    await until(async () =>
      /exit code 7.*no memory left/.test((await router.status()).backends[0]?.reason ?? ''),
    );
  });
});
