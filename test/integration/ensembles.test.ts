/** Names that are answered by several requests together: what is asked, and what comes of it. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { startFakeEngine } from '../fake-engine/start.ts';
import { say } from '../fake-engine/panel-engine.ts';
import { ask } from './client.ts';
import {
  askPanel,
  contentOf,
  lastWords,
  messages,
  panel,
  requestsOf,
  startPanel,
  startPanelRouter,
} from './panel.ts';

describe('an ensemble', () => {
  test('asks for three answers, criticises each, and gives one made from all', async () => {
    const { engine, router } = await startPanel();
    const answer = await askPanel(router, { max_completion_tokens: 50, temperature: 0.2 }).answer;
    expect(answer.status).toBe(200);
    expect(contentOf(answer.json())).toBe('final 1');
    expect(answer.json()['model']).toBe('panel');
    expect(answer.headers['x-llamero-ensemble']).toBe('3');

    const answers = engine.heard('answer').map(({ body }) => body);
    expect(answers).toHaveLength(3);
    for (const body of answers) {
      expect(body).toEqual({ model: 'm', messages, max_completion_tokens: 50, temperature: 1 });
    }
    const critiques = engine.heard('critique').map(({ body }) => lastWords(body));
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
      expect(lastWords(final?.body)).toContain(piece);
    }
  });

  test('passes on what the client said in its own words, whatever that means to an engine', async () => {
    const { engine, router } = await startPanel();
    const own = { reasoning: { summary: 'auto', effort: 'low' }, repetition_penalty: 1.1, mirostat: 2 };
    const answer = await askPanel(router, own).answer;
    expect(answer.headers['x-llamero-dropped']).toBeUndefined();
    for (const { body } of engine.asked) expect(body).toMatchObject(own);
  });

  test('streams the final answer', async () => {
    const { router } = await startPanel();
    const chunks: string[] = [];
    const onChunk = (chunk: Buffer) => void chunks.push(chunk.toString());
    const answer = await askPanel(
      router,
      { stream: true, stream_options: { include_usage: true } },
      { onChunk },
    ).answer;
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
    const { router } = await startPanel();
    const answer = await askPanel(router).answer;
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
    const { engine, router } = await startPanel(
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
    const answer = await askPanel(router, {
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
      expect(lastWords(body)).toContain('[calls the tool look with {\\"at\\":\\"sky\\"}]');
    }
  });

  test('puts the note behind the results of tools, where those came last', async () => {
    const { engine, router } = await startPanel();
    const conversation = [
      ...messages,
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'blue' },
    ];
    await askPanel(router, { messages: conversation }).answer;
    const sent = engine.heard('final')[0]?.body['messages'] as { role: string }[];
    expect(sent.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool', 'user']);
    expect(lastWords(engine.heard('critique')[0]?.body)).toContain('<Why is the sky blue?>');
  });

  test('numbers the seeds of its answers from that of the client', async () => {
    const { engine, router } = await startPanel();
    await askPanel(router, { seed: 7 }).answer;
    expect(engine.heard('answer').map(({ body }) => body['seed'])).toEqual([7, 8, 9]);
    expect(engine.heard('final')[0]?.body['seed']).toBe(7);
  });

  test('asks the models that it is made of, each in its part', async () => {
    const models = ['m', 'm2', 'critic', 'judge'];
    const ensembles = {
      panel: { ...panel, models: ['m', 'm2'], answers: 3, critic: 'critic', final: 'judge' },
    };
    const { engine, router } = await startPanel({ ensembles, scheduling: { stickyDelay: 0 } }, { models });
    expect((await askPanel(router).answer).status).toBe(200);
    expect(engine.heard('answer').map(({ body }) => body['model'])).toEqual(['m', 'm2', 'm']);
    expect(engine.heard('critique').map(({ body }) => body['model'])).toEqual(['critic', 'critic', 'critic']);
    expect(engine.heard('final').map(({ body }) => body['model'])).toEqual(['judge']);
  });

  test('needs a message of a user', async () => {
    const { engine, router } = await startPanel();
    const answer = await askPanel(router, { messages: [{ role: 'system', content: 'Be short.' }] }).answer;
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ error: { code: 'request_malformed', param: 'messages' } });
    expect(engine.asked).toHaveLength(0);
  });
});

describe('an ensemble on a route where nothing is written', () => {
  test('is the model of its final answer', async () => {
    const engine = await startFakeEngine();
    onTestFinished(() => engine.close());
    const router = await startPanelRouter({
      backends: { one: { url: engine.url } },
      ensembles: { panel: { models: 'elsewhere', final: 'tiny' } },
    });
    const body = { model: 'panel', messages: [{ role: 'user', content: 'x' }] };
    const counted = await ask(`${router.url}/v1/messages/count_tokens`, { body }).answer;
    expect(counted.json()).toEqual({ input_tokens: expect.any(Number) });
  });
});

describe('an ensemble on one slot', () => {
  test('is served, for it holds none itself', async () => {
    const engine = await startFakeEngine({ slots: 1 });
    onTestFinished(() => engine.close());
    const router = await startPanelRouter({
      backends: { one: { url: engine.url } },
      ensembles: { panel: { models: 'tiny', answers: 2 } },
    });
    await engine.reset();
    const both = await Promise.all([1, 2].map(() => askPanel(router, { max_tokens: 4 }).answer));
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    const { requests, concurrencyMax } = await engine.report();
    expect(requests.filter(({ method }) => method === 'POST')).toHaveLength(10);
    expect(concurrencyMax).toBe(1);
  });
});

test('an ensemble is answered by all backends that have room', async () => {
  const engines = await Promise.all([startFakeEngine({ slots: 1 }), startFakeEngine({ slots: 1 })]);
  for (const engine of engines) onTestFinished(() => engine.close());
  const [one, two] = engines;
  const router = await startPanelRouter({
    backends: { one: { url: one?.url }, two: { url: two?.url } },
    ensembles: { panel: { models: 'tiny', answers: 2, critiques: 0 } },
  });
  for (const engine of engines) await engine.reset();
  expect((await askPanel(router, { max_tokens: 20 }).answer).status).toBe(200);
  const reports = await Promise.all(engines.map((engine) => engine.report()));
  expect(reports.every(({ requests }) => requests.some(({ method }) => method === 'POST'))).toBe(true);
});

describe('an ensemble whose members fail', () => {
  test('goes on with the answers that came', async () => {
    const { engine, router } = await startPanel(
      {},
      {
        instead: (part, index) =>
          part === 'answer' && index < 2
            ? { status: 500, body: { error: { message: 'out of luck' } } }
            : undefined,
      },
    );
    const answer = await askPanel(router).answer;
    expect(contentOf(answer.json())).toBe('final 1');
    expect(engine.heard('critique')).toHaveLength(1);
    expect(lastWords(engine.heard('final')[0]?.body)).toContain('answer 3');
    expect(answer.json()['usage']).toMatchObject({ prompt_tokens: 30 });
  });

  test('does without critiques that did not come', async () => {
    const { engine, router } = await startPanel(
      {},
      { instead: (part) => (part === 'critique' ? { status: 422, body: {} } : undefined) },
    );
    expect(contentOf((await askPanel(router).answer).json())).toBe('final 1');
    const final = lastWords(engine.heard('final')[0]?.body);
    expect(final).toContain('answer 1');
    expect(final).not.toContain('<review');
  });

  test('passes on what was said when no answer came', async () => {
    const error = {
      message: 'too long for me',
      type: 'invalid_request_error',
      code: 'context_length_exceeded',
    };
    const { router } = await startPanel({}, { instead: () => ({ status: 400, body: { error } }) });
    const answer = await askPanel(router).answer;
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ error: { message: 'too long for me' } });
    const streamed = await askPanel(router, { stream: true }).answer;
    expect(streamed.status).toBe(400);
  });

  test('says why when all answers broke off', async () => {
    const { router } = await startPanel({}, { instead: () => ({ body: 'nonsense' }) });
    const answer = await askPanel(router).answer;
    expect(answer.status).toBe(502);
    expect(answer.json()).toMatchObject({
      error: { code: 'ensemble_failed', message: expect.stringContaining('None of 3 answers came') },
    });
  });

  test('passes on a refusal of the final answer', async () => {
    const { router } = await startPanel(
      {},
      {
        instead: (part) =>
          part === 'final' ? { status: 422, body: { error: { message: 'no' } } } : undefined,
      },
    );
    expect((await askPanel(router).answer).status).toBe(422);
  });

  test('ends its stream as broken when the final answer breaks off', async () => {
    const { router } = await startPanel(
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
    const answer = await askPanel(router, { stream: true }).answer;
    expect(answer.status).toBe(200);
    expect(answer.complete).toBe(false);
    expect(answer.body.toString()).toContain('final');
    expect(answer.body.toString()).not.toContain('[DONE]');
  });
});
