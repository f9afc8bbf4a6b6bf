/** Names that are answered by several requests together. */
import { afterEach, describe, expect, test } from 'vitest';
import { requestsSchema } from '../../src/admin/contract.ts';
import { startFakeEngine } from '../fake-engine/start.ts';
import {
  panelPrompts,
  say,
  silence,
  startPanelEngine,
  type PanelEngine,
  type PanelOptions,
} from '../fake-engine/panel-engine.ts';
import { ask, type AskOptions } from './client.ts';
import { as, codeOf } from './keyed-client.ts';
import { startRouter, until, type TestRouter } from './start-router.ts';

const closing: (() => PromiseLike<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const panel = { models: 'm', prompts: panelPrompts };
const messages = [
  { role: 'system', content: 'Be short.' },
  { role: 'user', content: 'Why is the sky blue?' },
];

interface SetUp {
  readonly engine: PanelEngine;
  readonly router: TestRouter;
}

async function setUp(config: object = {}, options: PanelOptions = {}, backend: object = {}): Promise<SetUp> {
  const engine = await startPanelEngine(options);
  closing.push(() => engine.close());
  const router = await startRouter({
    backends: { one: { url: engine.url, engine: 'openai', ...backend } },
    ensembles: { panel },
    ...config,
  });
  closing.push(() => router[Symbol.asyncDispose]());
  await router.ready();
  return { engine, router };
}

function chat(router: TestRouter, more: object = {}, options: AskOptions = {}) {
  const body = { model: 'panel', messages, ...more };
  return ask(`${router.url}/v1/chat/completions`, { ...options, body });
}

const contentOf = (body: Record<string, unknown>): unknown =>
  (body as { choices: { message: { content: unknown } }[] }).choices[0]?.message.content;
const lastMessage = (body: Readonly<Record<string, unknown>>): { role: string; content: unknown } =>
  (body['messages'] as { role: string; content: unknown }[]).at(-1) ?? { role: '', content: '' };

async function requestsOf(router: TestRouter) {
  return requestsSchema.parse((await ask(`${router.url}/api/requests`).answer).json());
}
const words = (body: Readonly<Record<string, unknown>>): string => JSON.stringify(lastMessage(body).content);

describe('an ensemble', () => {
  test('asks for three answers, criticises each, and gives one made from all', async () => {
    const { engine, router } = await setUp();
    const answer = await chat(router, { max_completion_tokens: 50, temperature: 0.2 }).answer;
    expect(answer.status).toBe(200);
    expect(contentOf(answer.json())).toBe('final 1');
    expect(answer.json()['model']).toBe('panel');
    expect(answer.headers['x-llamero-ensemble']).toBe('3');

    const answers = engine.heard('answer').map(({ body }) => body);
    expect(answers).toHaveLength(3);
    for (const body of answers) {
      expect(body).toEqual({ model: 'm', messages, max_completion_tokens: 50, temperature: 1 });
    }
    const critiques = engine.heard('critique').map(({ body }) => words(body));
    expect(new Set(critiques)).toEqual(
      new Set(
        [1, 2, 3].map(
          (number) => `"CRITIQUE number ${number} of <Why is the sky blue?>: [answer ${number}]"`,
        ),
      ),
    );
    const [final] = engine.heard('final');
    expect(final?.body).toMatchObject({ temperature: 0.2, max_completion_tokens: 50 });
    expect(final?.body['messages']).toMatchObject([messages[0], { role: 'user' }]);
    for (const piece of ['Why is the sky blue?', 'answer 1', 'answer 3', 'critique 1', 'critique 3']) {
      expect(words(final?.body ?? {})).toContain(piece);
    }
  });

  test('streams the final answer', async () => {
    const { router } = await setUp();
    const chunks: string[] = [];
    const onChunk = (chunk: Buffer) => void chunks.push(chunk.toString());
    const answer = await chat(router, { stream: true, stream_options: { include_usage: true } }, { onChunk })
      .answer;
    expect(answer.headers['content-type']).toBe('text/event-stream');
    expect(answer.complete).toBe(true);
    const events = answer.body
      .toString()
      .split('\n\n')
      .filter((event) => event.startsWith('data: {'));
    const parsed = events.map((event) => JSON.parse(event.slice('data: '.length)) as Record<string, unknown>);
    const deltas = parsed.map(
      ({ choices }) => (choices as { delta?: { content?: string } }[])[0]?.delta?.content,
    );
    expect(deltas.join('')).toBe('final 1');
    expect(parsed.at(-1)?.['usage']).toMatchObject({ prompt_tokens: 70, completion_tokens: 21 });
    expect(answer.body.toString().endsWith('data: [DONE]\n\n')).toBe(true);
  });

  test('tells the usage of all its requests, and each is accounted for once', async () => {
    const { router } = await setUp();
    const answer = await chat(router).answer;
    expect(answer.json()['usage']).toMatchObject({
      prompt_tokens: 70,
      completion_tokens: 21,
      total_tokens: 91,
    });
    const rows = (await ask(`${router.url}/api/usage/export?format=json`).answer).json();
    expect(rows).toMatchObject([{ model: 'm', requests: 7, input_tokens: 70, output_tokens: 21 }]);
    const { recent } = await requestsOf(router);
    const [outer] = recent.filter(({ ensemble }) => ensemble === 'panel');
    expect(outer).toMatchObject({ parent: null, model_id: null, input_tokens: null, outcome: 'completed' });
    const purposes = recent.flatMap(({ parent }) =>
      parent?.request_id === outer?.request_id ? [parent?.purpose] : [],
    );
    expect(purposes.filter((purpose) => purpose === 'answer')).toHaveLength(3);
    expect(purposes.filter((purpose) => purpose === 'critique')).toHaveLength(3);
    expect(purposes.filter((purpose) => purpose === 'final')).toHaveLength(1);
  });

  test('gives tools to answers and the final answer, not to critics, and takes a call as an answer', async () => {
    const call = { id: 'c1', type: 'function', function: { name: 'look', arguments: '{"at":"sky"}' } };
    const { engine, router } = await setUp(
      {},
      {
        instead: (part) =>
          part === 'critique'
            ? undefined
            : {
                body: {
                  object: 'chat.completion',
                  choices: [
                    {
                      index: 0,
                      message: { role: 'assistant', content: null, tool_calls: [call] },
                      finish_reason: 'tool_calls',
                    },
                  ],
                },
              },
      },
    );
    const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }];
    const answer = await chat(router, {
      tools,
      tool_choice: 'auto',
      response_format: { type: 'json_object' },
    }).answer;
    expect(answer.json()).toMatchObject({
      choices: [{ message: { tool_calls: [{ function: call.function }] }, finish_reason: 'tool_calls' }],
    });
    expect(engine.heard('answer')[0]?.body).toMatchObject({
      tools,
      response_format: { type: 'json_object' },
    });
    expect(engine.heard('final')[0]?.body).toMatchObject({ tools, response_format: { type: 'json_object' } });
    for (const { body } of engine.heard('critique')) {
      expect(Object.keys(body)).not.toEqual(
        expect.arrayContaining(['tools', 'tool_choice', 'response_format']),
      );
      expect(words(body)).toContain('[calls the tool look with {\\"at\\":\\"sky\\"}]');
    }
  });

  test('puts the note behind the results of tools, where those came last', async () => {
    const { engine, router } = await setUp();
    const conversation = [
      ...messages,
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'blue' },
    ];
    await chat(router, { messages: conversation }).answer;
    const sent = engine.heard('final')[0]?.body['messages'] as { role: string }[];
    expect(sent.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool', 'user']);
    expect(words(engine.heard('critique')[0]?.body ?? {})).toContain('<Why is the sky blue?>');
  });

  test('numbers the seeds of its answers from that of the client', async () => {
    const { engine, router } = await setUp();
    await chat(router, { seed: 7 }).answer;
    expect(engine.heard('answer').map(({ body }) => body['seed'])).toEqual([7, 8, 9]);
    expect(engine.heard('final')[0]?.body['seed']).toBe(7);
  });

  test('asks the models that it is made of, each in its part', async () => {
    const models = ['m', 'm2', 'critic', 'judge'];
    const ensembles = {
      panel: { ...panel, models: ['m', 'm2'], answers: 3, critic: 'critic', final: 'judge' },
    };
    const { engine, router } = await setUp({ ensembles, scheduling: { stickyDelay: 0 } }, { models });
    expect((await chat(router).answer).status).toBe(200);
    expect(engine.heard('answer').map(({ body }) => body['model'])).toEqual(['m', 'm2', 'm']);
    expect(engine.heard('critique').map(({ body }) => body['model'])).toEqual(['critic', 'critic', 'critic']);
    expect(engine.heard('final').map(({ body }) => body['model'])).toEqual(['judge']);
  });

  test('needs a message of a user', async () => {
    const { engine, router } = await setUp();
    const answer = await chat(router, { messages: [{ role: 'system', content: 'Be short.' }] }).answer;
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ error: { code: 'request_malformed', param: 'messages' } });
    expect(engine.asked).toHaveLength(0);
  });
});

describe('an ensemble on a route where nothing is written', () => {
  test('is the model of its final answer', async () => {
    const engine = await startFakeEngine();
    closing.push(() => engine.close());
    const router = await startRouter({
      backends: { one: { url: engine.url } },
      ensembles: { panel: { models: 'elsewhere', final: 'tiny' } },
    });
    closing.push(() => router[Symbol.asyncDispose]());
    await router.ready();
    const body = { model: 'panel', messages: [{ role: 'user', content: 'x' }] };
    const counted = await ask(`${router.url}/v1/messages/count_tokens`, { body }).answer;
    expect(counted.json()).toEqual({ input_tokens: expect.any(Number) });
  });
});

describe('an ensemble on one slot', () => {
  test('is served, for it holds none itself', async () => {
    const engine = await startFakeEngine({ slots: 1 });
    closing.push(() => engine.close());
    const router = await startRouter({
      backends: { one: { url: engine.url } },
      ensembles: { panel: { models: 'tiny', answers: 2 } },
    });
    closing.push(() => router[Symbol.asyncDispose]());
    await router.ready();
    await engine.reset();
    const both = await Promise.all([1, 2].map(() => chat(router, { max_tokens: 4 }).answer));
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    const { requests, concurrencyMax } = await engine.report();
    expect(requests.filter(({ method }) => method === 'POST')).toHaveLength(10);
    expect(concurrencyMax).toBe(1);
  });
});

describe('an ensemble whose members fail', () => {
  test('goes on with the answers that came', async () => {
    const { engine, router } = await setUp(
      {},
      {
        instead: (part, index) =>
          part === 'answer' && index < 2
            ? { status: 500, body: { error: { message: 'out of luck' } } }
            : undefined,
      },
    );
    const answer = await chat(router).answer;
    expect(contentOf(answer.json())).toBe('final 1');
    expect(engine.heard('critique')).toHaveLength(1);
    expect(words(engine.heard('final')[0]?.body ?? {})).toContain('answer 3');
    expect(answer.json()['usage']).toMatchObject({ prompt_tokens: 30 });
  });

  test('does without critiques that did not come', async () => {
    const { engine, router } = await setUp(
      {},
      { instead: (part) => (part === 'critique' ? { status: 422, body: {} } : undefined) },
    );
    expect(contentOf((await chat(router).answer).json())).toBe('final 1');
    const final = words(engine.heard('final')[0]?.body ?? {});
    expect(final).toContain('answer 1');
    expect(final).not.toContain('<review');
  });

  test('passes on what was said when no answer came', async () => {
    const error = {
      message: 'too long for me',
      type: 'invalid_request_error',
      code: 'context_length_exceeded',
    };
    const { router } = await setUp({}, { instead: () => ({ status: 400, body: { error } }) });
    const answer = await chat(router).answer;
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ error: { message: 'too long for me' } });
    const streamed = await chat(router, { stream: true }).answer;
    expect(streamed.status).toBe(400);
  });

  test('says why when all answers broke off', async () => {
    const { router } = await setUp({}, { instead: () => ({ body: 'nonsense' }) });
    const answer = await chat(router).answer;
    expect(answer.status).toBe(502);
    expect(answer.json()).toMatchObject({
      error: { code: 'ensemble_failed', message: expect.stringContaining('None of 3 answers came') },
    });
  });

  test('passes on a refusal of the final answer', async () => {
    const { router } = await setUp(
      {},
      {
        instead: (part) =>
          part === 'final' ? { status: 422, body: { error: { message: 'no' } } } : undefined,
      },
    );
    expect((await chat(router).answer).status).toBe(422);
  });

  test('ends its stream as broken when the final answer breaks off', async () => {
    const { router } = await setUp(
      {},
      {
        instead: (part, _index, request) => {
          if (part !== 'final') return undefined;
          const { body } = say(request, 'final words that go on');
          const text = typeof body === 'string' ? body : '';
          return {
            write: (response) => {
              response.writeHead(200, { 'content-type': 'text/event-stream' });
              response.write(text.slice(0, text.indexOf('data: [DONE]') / 2), () => response.destroy());
            },
          };
        },
      },
    );
    const answer = await chat(router, { stream: true }).answer;
    expect(answer.status).toBe(200);
    expect(answer.complete).toBe(false);
    expect(answer.body.toString()).toContain('final');
    expect(answer.body.toString()).not.toContain('[DONE]');
  });
});

describe('a client that leaves an ensemble', () => {
  for (const part of ['answer', 'critique', 'final'] as const) {
    test(`ends every request and frees every slot during the ${part}s`, async () => {
      const { engine, router } = await setUp(
        {},
        { instead: (each) => (each === part ? silence : undefined) },
        { slots: 8 },
      );
      const asking = chat(router, { stream: true });
      await until(() => engine.open.size === (part === 'final' ? 1 : 3));
      asking.leave();
      await until(() => engine.open.size === 0);
      await until(async () => (await router.status()).backends[0]?.slots.own === 0);
      const { recent } = await requestsOf(router);
      const cancelled = recent.filter(({ outcome }) => outcome?.startsWith('cancelled_'));
      expect(cancelled).toHaveLength(part === 'final' ? 2 : 4);
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
    const { router } = await setUp(
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
    const asking = chat(router, { stream: true }, { ...as('one', headers), onChunk });
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
    const { router } = await setUp({}, { instead: engine.instead });
    const asking = chat(router, { stream: true });
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
    const { engine, router } = await setUp({}, { instead: () => silence });
    const asking = chat(router);
    await until(() => engine.open.size === 3);
    const { running } = await requestsOf(router);
    const outer = running.find(({ ensemble }) => ensemble === 'panel');
    await ask(`${router.url}/api/requests/${outer?.request_id}/cancel`, { method: 'POST' }).answer;
    expect(codeOf(await asking.answer)).toBe('cancelled');
    await until(() => engine.open.size === 0);
  });

  test('gets it to its end although the router is to stop', async () => {
    const { instead, release } = firstHeld();
    const { engine, router } = await setUp({}, { instead });
    const asking = chat(router);
    await until(() => engine.open.size === 1);
    const drained = router.app.drain();
    release();
    const answer = await asking.answer;
    expect(contentOf(answer.json())).toBe('final 1');
    await drained;
  });
});

describe('the name of an ensemble', () => {
  test('stands in the lists of models, for keys that may use it', async () => {
    const apiKeys = ['all', { name: 'other', key: 'other', models: ['elsewhere'] }];
    const { router } = await setUp({ apiKeys });
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

  test('may be used by a key that may use it, or all that it asks', async () => {
    const { router } = await setUp({
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
      const answer = await chat(router, {}, as(key)).answer;
      codes.push(answer.status === 200 ? 200 : codeOf(answer));
    }
    expect(codes).toEqual([200, 200, 'model_not_allowed', 'route_not_allowed']);
  });

  test('is what the prefix makes of a model, where there is a prefix and no model of that name', async () => {
    const { engine, router } = await setUp({ ensemblePrefix: 'moe-' }, { models: ['m', 'moe-real'] });
    expect((await chat(router, { model: 'moe-m' }).answer).json()['model']).toBe('moe-m');
    expect(engine.asked).toHaveLength(7);
    expect(engine.asked.every(({ body }) => body['model'] === 'm')).toBe(true);
    await chat(router, { model: 'moe-real' }).answer;
    expect(engine.asked).toHaveLength(8);
    const missing = await chat(router, { model: 'moe-nobody' }).answer;
    expect([missing.status, codeOf(missing)]).toEqual([404, 'model_not_found']);
    await router.reload({ backends: { one: { url: engine.url, engine: 'openai' } } });
    expect((await chat(router, { model: 'moe-m' }).answer).status).toBe(404);
  });

  test('stands for one with the preset nomyo', async () => {
    const { engine, router } = await setUp({ scheduling: { preset: 'nomyo' } });
    expect((await chat(router, { model: 'moe-m' }).answer).status).toBe(200);
    expect(engine.asked).toHaveLength(7);
  });
});

describe('the limits of a key', () => {
  test('hold for each request of an ensemble', async () => {
    const { engine, router } = await setUp({ apiKeys: ['all', { name: 'one', key: 'one', concurrency: 1 }] });
    const answer = await chat(router, {}, as('one')).answer;
    expect(answer.status).toBe(200);
    expect(engine.asked).toHaveLength(3);
  });

  test('are told when they leave no room for the final answer, or for any', async () => {
    const { engine, router } = await setUp({
      apiKeys: ['all', { name: 'one', key: 'one', requestsPerMinute: 1 }],
    });
    for (let round = 0; round < 2; round += 1) {
      const answer = await chat(router, {}, as('one')).answer;
      expect([answer.status, codeOf(answer)]).toEqual([429, 'rate_limit_exceeded']);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      expect(answer.headers['x-ratelimit-remaining-requests']).toBe('0');
    }
    expect(engine.asked).toHaveLength(1);
  });
});
