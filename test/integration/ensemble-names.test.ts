/** Which names stand for ensembles, who may use them, and which limits hold for them. */
import { describe, expect, test } from 'vitest';
import { ask } from './client.ts';
import { as, codeOf } from './keyed-client.ts';
import { askPanel, startPanel } from './panel.ts';

describe('the name of an ensemble', () => {
  test('stands in the lists of models, for keys that may use it', async () => {
    const apiKeys = ['all', { name: 'other', key: 'other', models: ['elsewhere'] }];
    const { router } = await startPanel({ apiKeys });
    const idsFor = async (key: string) => {
      const list = (await ask(`${router.url}/v1/models`, as(key)).answer).json() as {
        data?: { id: string }[];
      };
      const tags = (await ask(`${router.url}/api/tags`, as(key)).answer).json() as {
        models?: { name: string }[];
      };
      return [list.data?.map(({ id }) => id), tags.models?.map(({ name }) => name)];
    };
    expect(await idsFor('all')).toEqual([
      ['m', 'panel'],
      ['m:latest', 'panel:latest'],
    ]);
    expect(await idsFor('other')).toEqual([[], []]);
  });

  test('is shown as the model of its final answer', async () => {
    const { router } = await startPanel();
    const shown = await ask(`${router.url}/api/show`, { body: { model: 'panel' } }).answer;
    expect(shown.status).toBe(200);
    const one = await ask(`${router.url}/v1/models/panel`).answer;
    expect(one.json()).toMatchObject({
      id: 'panel',
      meta: { llamaswap: { type: 'ensemble', models: ['m'] } },
    });
  });

  test('may be used by a key that may use it, or all that it asks', async () => {
    const { router } = await startPanel({
      apiKeys: [
        'all',
        { name: 'named', key: 'named', models: ['panel'] },
        { name: 'members', key: 'members', models: ['m'] },
        { name: 'other', key: 'other', models: ['elsewhere'] },
        { name: 'embeds', key: 'embeds', routes: ['embeddings'] },
      ],
    });
    const codes = [];
    for (const key of ['named', 'members', 'other', 'embeds']) {
      const answer = await askPanel(router, {}, as(key)).answer;
      codes.push(answer.status === 200 ? 200 : codeOf(answer));
    }
    expect(codes).toEqual([200, 200, 'model_not_allowed', 'route_not_allowed']);
  });

  test('is what the prefix makes of a model, where there is a prefix and no model of that name', async () => {
    const { engine, router } = await startPanel({ ensemblePrefix: 'moe-' }, { models: ['m', 'moe-real'] });
    expect((await askPanel(router, { model: 'moe-m' }).answer).json()['model']).toBe('moe-m');
    expect(engine.asked).toHaveLength(7);
    expect(engine.asked.every(({ body }) => body['model'] === 'm')).toBe(true);
    await askPanel(router, { model: 'moe-real' }).answer;
    expect(engine.asked).toHaveLength(8);
    const missing = await askPanel(router, { model: 'moe-nobody' }).answer;
    expect([missing.status, codeOf(missing)]).toEqual([404, 'model_not_found']);
    await router.reload({ backends: { one: { url: engine.url, engine: 'openai' } } });
    expect((await askPanel(router, { model: 'moe-m' }).answer).status).toBe(404);
  });

  test('stands for one with the preset nomyo', async () => {
    const { engine, router } = await startPanel({ scheduling: { preset: 'nomyo' } });
    expect((await askPanel(router, { model: 'moe-m' }).answer).status).toBe(200);
    expect(engine.asked).toHaveLength(7);
  });
});

describe('the limits of a key', () => {
  test('hold for each request of an ensemble', async () => {
    const { engine, router } = await startPanel({
      apiKeys: ['all', { name: 'one', key: 'one', concurrency: 1 }],
    });
    const answer = await askPanel(router, {}, as('one')).answer;
    expect(answer.status).toBe(200);
    expect(engine.asked).toHaveLength(3);
  });

  test('are told when they leave no room for the final answer, or for any', async () => {
    const { engine, router } = await startPanel({
      apiKeys: ['all', { name: 'one', key: 'one', requestsPerMinute: 1 }],
    });
    for (let round = 0; round < 2; round += 1) {
      const answer = await askPanel(router, {}, as('one')).answer;
      expect([answer.status, codeOf(answer)]).toEqual([429, 'rate_limit_exceeded']);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      expect(answer.headers['x-ratelimit-remaining-requests']).toBe('0');
    }
    expect(engine.asked).toHaveLength(1);
  });
});
