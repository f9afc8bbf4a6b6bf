import { describe, expect, test } from 'vitest';
import { ask, chat, type Asking } from './client.ts';
import { fakeCommand, withModels } from './fake-models.ts';
import { startRouter, until } from './start-router.ts';

/** A log that is read as it grows. */
function follow(url: string): { readonly asking: Asking; readonly text: () => string } {
  let text = '';
  const asking = ask(url, { onChunk: (chunk) => (text += chunk.toString()) });
  return { asking, text: () => text };
}

describe('LOG-2: /logs', () => {
  test('has what the router wrote, as text', async () => {
    await using router = await startRouter({});
    const answer = await ask(`${router.url}/logs`).answer;
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/plain; charset=utf-8']);
    expect(answer.body.toString()).toContain('listening on http://127.0.0.1');
  });

  test('/stream goes on with what is written, after the history unless told otherwise', async () => {
    await using router = await startRouter(await withModels({ m: {} }));
    const whole = follow(`${router.url}/logs/stream`);
    const fresh = follow(`${router.url}/logs/stream/proxy?no-history`);
    await until(() => whole.text().includes('listening on'));
    await fresh.asking.head;
    await chat(router.url, { model: 'm' }).answer;
    await until(() => whole.text().includes('Model is loaded') && fresh.text().includes('Model is loaded'));
    expect(fresh.text()).not.toContain('listening on');
    expect((await whole.asking.head).headers['x-accel-buffering']).toBe('no');
    whole.asking.leave();
    fresh.asking.leave();
  });

  test('/stream/MODEL has what that model prints, /stream/upstream what all do', async () => {
    const cmd = `sh -c 'echo words of org/m; exec ${fakeCommand('org/m')}'`;
    await using router = await startRouter(
      await withModels({ 'org/m': { cmd, aliases: ['nick'] }, other: {} }),
    );
    await chat(router.url, { model: 'org/m' }).answer;
    for (const name of ['org/m', 'org%2Fm', 'nick', 'upstream']) {
      const log = follow(`${router.url}/logs/stream/${name}`);
      await until(() => log.text().includes('words of org/m'));
      expect(log.text()).not.toContain('"msg"');
      log.asking.leave();
    }
    const all = await ask(`${router.url}/logs`).answer;
    expect(all.body.toString()).not.toContain('words of');
  });

  test('shows times in the form of logTimeFormat and lines from logLevel on, both changed by a reload', async () => {
    await using router = await startRouter({ logTimeFormat: 'stampmicro' });
    const lines = async () => (await ask(`${router.url}/logs`).answer).body.toString().split('\n');
    expect((await lines())[0]).toMatch(/"time":"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d\.\d{3}000"/);
    await router.reload({ logTimeFormat: 'kitchen' });
    await until(async () => (await lines()).some((line) => /"time":"\d+:\d\d[AP]M"/.test(line)));
    await router.reload({ logLevel: 'error', log: { format: 'json', requests: true } });
    const { length } = await lines();
    await router.reload({ logLevel: 'error', log: { format: 'json' }, logTimeFormat: 'ansic' });
    expect(await lines()).toHaveLength(length);
    await router.reload({ logLevel: 'info', log: { format: 'json' } });
    await until(async () => (await lines()).length > length);
  });

  test('/stream of nobody is refused', async () => {
    await using router = await startRouter({});
    const answer = await ask(`${router.url}/logs/stream/nobody`).answer;
    expect([answer.status, answer.json()]).toMatchObject([
      400,
      { error: { message: "Invalid logger. Use 'proxy', 'upstream' or a model's ID" } },
    ]);
    const text = await ask(`${router.url}/logs/stream/nobody`, { headers: { accept: 'text/plain' } }).answer;
    expect(text.body.toString()).toMatch(/^llamero: Invalid logger/);
  });

  test.each([
    ['proxy', true, false],
    ['upstream', false, true],
    ['both', true, true],
    ['none', false, false],
  ])('and the output have what logToStdout says: %s', async (logToStdout, proxy, upstream) => {
    const cmd = `sh -c 'echo {} words-of-m >&2; exec ${fakeCommand('m')}'`;
    const written: string[] = [];
    await using router = await startRouter(await withModels({ m: { cmd } }, { logToStdout }), {
      write: (text) => void written.push(text),
    });
    await chat(router.url, { model: 'm' }).answer;
    const log = follow(`${router.url}/logs/stream/upstream`);
    await until(() => log.text().includes('words-of-m'));
    log.asking.leave();
    const all = (await ask(`${router.url}/logs`).answer).body.toString();
    for (const text of [all, written.join('')]) {
      expect([text.includes('Model is loaded'), text.includes('words-of-m')]).toEqual([proxy, upstream]);
    }
  });
});
