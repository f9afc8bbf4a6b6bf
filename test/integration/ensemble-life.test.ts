/** Ensembles while they work: their clients wait, read slowly or leave, and routers stop. */
import { describe, expect, test } from 'vitest';
import { say, silence, type PanelOptions } from '../fake-engine/panel-engine.ts';
import { ask } from './client.ts';
import { as, codeOf } from './keyed-client.ts';
import { askPanel, contentOf, requestsOf, startPanel } from './panel.ts';
import { until } from './start-router.ts';

describe('a client that leaves an ensemble', () => {
  for (const part of ['answer', 'critique', 'final'] as const) {
    test(`ends every request and frees every slot during the ${part}s`, async () => {
      const { engine, router } = await startPanel(
        {},
        { instead: (each) => (each === part ? silence : undefined) },
        { slots: 8 },
      );
      const asking = askPanel(router, { stream: true });
      await until(() => engine.open.size === (part === 'final' ? 1 : 3));
      asking.leave();
      await until(() => engine.open.size === 0);
      await until(async () => (await router.status()).backends[0]?.slots.own === 0);
      const { recent } = await requestsOf(router);
      const cancelled = recent.filter(({ outcome }) => outcome?.startsWith('cancelled_'));
      expect(cancelled).toHaveLength(part === 'final' ? 2 : 4);
      expect(cancelled.map(({ outcome }) => outcome)).toEqual(cancelled.map(() => 'cancelled_waiting'));
    });
  }
});

/** A final answer that goes on as long as somebody reads it. */
function endlessFinal() {
  let bytes = 0;
  let isEnded = false;
  const delta = { choices: [{ index: 0, delta: { content: 'x'.repeat(32 * 1024) }, finish_reason: null }] };
  const chunk = `data: ${JSON.stringify({ object: 'chat.completion.chunk', ...delta })}\n\n`;
  const instead: PanelOptions['instead'] = (part) => {
    if (part !== 'final') return undefined;
    return {
      write(response) {
        const pump = (): void => {
          for (let more = true; more; bytes += chunk.length) more = response.write(chunk);
        };
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.on('drain', pump).on('close', () => (isEnded = true));
        pump();
      },
    };
  };
  return { instead, bytes: () => bytes, isEnded: () => isEnded };
}

/** What the engine does for answers, the first of which waits until `release` is called. */
function firstHeld() {
  let release = (): void => {};
  const instead: PanelOptions['instead'] = (part, index, request) => {
    if (part !== 'answer' || index > 0) return undefined;
    const { body } = say(request, 'the first');
    return {
      write: (response) => {
        release = () => void response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
      },
    };
  };
  return { instead, release: () => release() };
}

describe('the client of an ensemble that works', () => {
  test.each([
    ['plain', {}],
    ['by node:http', { te: 'trailers' }],
  ])('gets signs of life until the final answer begins (%s)', async (_way, headers) => {
    const held: (() => void)[] = [];
    const { router } = await startPanel(
      {
        streaming: { keepalive: '10ms' },
        apiKeys: ['all', { name: 'one', key: 'one', requestsPerMinute: 1000 }],
      },
      {
        instead: (part, _index, request) => {
          if (part === 'final') return undefined;
          const answer = say(request, part);
          return {
            write: (response) =>
              void held.push(() => {
                response.setHeader('content-type', 'application/json');
                response.end(JSON.stringify(answer.body));
              }),
          };
        },
      },
    );
    let seen = '';
    const onChunk = (chunk: Buffer) => (seen += chunk.toString());
    const asking = askPanel(router, { stream: true }, { ...as('one', headers), onChunk });
    for (const phase of [1, 2]) {
      await until(() => held.length === 3);
      const before = seen.length;
      await until(() => seen.length > before);
      expect([phase, seen.replaceAll(':\n\n', '')]).toEqual([phase, '']);
      for (const release of held.splice(0)) release();
    }
    const answer = await asking.answer;
    expect(answer.headers['x-llamero-ensemble']).toBe('3');
    expect(answer.body.toString().endsWith('data: [DONE]\n\n')).toBe(true);
  });

  test('slows the final answer down by reading slowly, and ends it by leaving', async () => {
    const engine = endlessFinal();
    const { router } = await startPanel({}, { instead: engine.instead });
    const asking = askPanel(router, { stream: true });
    (await asking.head).pause();
    let before = 0;
    let pollsWithout = 0;
    await until(() => {
      pollsWithout = engine.bytes() === before ? pollsWithout + 1 : 0;
      before = engine.bytes();
      return before > 0 && pollsWithout > 10;
    });
    expect(before).toBeLessThan(64 * 1024 * 1024);
    asking.leave();
    await until(() => engine.isEnded());
  });

  test('loses the answer when an operator cancels the request, with all that it is made of', async () => {
    const { engine, router } = await startPanel({}, { instead: () => silence });
    const asking = askPanel(router);
    await until(() => engine.open.size === 3);
    const { running } = await requestsOf(router);
    const outer = running.find(({ ensemble }) => ensemble === 'panel');
    await ask(`${router.url}/api/requests/${outer?.request_id}/cancel`, { method: 'POST' }).answer;
    expect(codeOf(await asking.answer)).toBe('cancelled');
    await until(() => engine.open.size === 0);
  });

  test('gets it to its end although the router is to stop', async () => {
    const { instead, release } = firstHeld();
    const { engine, router } = await startPanel({}, { instead });
    const asking = askPanel(router);
    await until(() => engine.open.size === 1);
    const drained = router.app.drain();
    release();
    const answer = await asking.answer;
    expect(contentOf(answer.json())).toBe('final 1');
    await drained;
  });
});
