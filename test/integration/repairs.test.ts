/** Requests that an engine cannot take, made into ones that it can: seen by clients of several dialects and by the engine. */
import { afterEach, describe, expect, test } from 'vitest';
import { startFakeEngine } from '../fake-engine/start.ts';
import {
  startScriptedEngine,
  type ScriptedAnswer,
  type ScriptedEngine,
  type ScriptedRequest,
} from '../fake-engine/scripted-engine.ts';
import { parsePrometheusText, valueOf } from '../prometheus-text.ts';
import { ask, type Answer } from './client.ts';
import { startRouter, until, type TestRouter } from './start-router.ts';

const closing: (() => PromiseLike<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

type Script = (request: ScriptedRequest, index: number) => ScriptedAnswer;

interface Setup {
  readonly engine: ScriptedEngine;
  readonly router: TestRouter;
  readonly post: (path: string, body: object) => Promise<Answer>;
}

/** `repairs` of the one backend; `more` of the configuration. */
async function setUp(answer: Script, repairs: object, more: object = {}): Promise<Setup> {
  const engine = await startScriptedEngine({ answer });
  closing.push(() => engine.close());
  const router = await startRouter({
    backends: { one: { url: engine.url, engine: 'openai', translate: ['messages', 'responses'], repairs } },
    ...more,
  });
  closing.push(() => router[Symbol.asyncDispose]());
  await router.ready();
  return { engine, router, post: (path, body) => ask(router.url + path, { body }).answer };
}

const said = (content: string) => ({
  id: 'x',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
});

const chunk = (delta: object, reason: string | null = null) =>
  `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;
const streamed = (...chunks: readonly string[]): ScriptedAnswer => ({
  type: 'text/event-stream',
  body: [...chunks, 'data: [DONE]\n\n'].join(''),
});
const saidInStream = (content: string) => streamed(chunk({ role: 'assistant', content }), chunk({}, 'stop'));

const refusal = (message: string, status = 400, more: object = {}): ScriptedAnswer => ({
  status,
  body: { error: { message, type: 'invalid_request_error', code: status, ...more } },
});
const overflow = (promptTokens: number, contextTokens: number): ScriptedAnswer =>
  refusal(
    `request (${promptTokens} tokens) exceeds the available context size (${contextTokens} tokens), try increasing it`,
    400,
    {
      type: 'exceed_context_size_error',
      n_prompt_tokens: promptTokens,
      n_ctx: contextTokens,
    },
  );
const noTools = refusal('registry.ollama.ai/library/gemma3:4b does not support tools');
const noImages = refusal(
  'image input is not supported - hint: if this is unexpected, you may need to provide the mmproj',
  500,
);

const long = 'one two three four five six seven eight nine ten '.repeat(10);
const turns = [
  { role: 'system', content: 'You are terse.' },
  { role: 'user', content: `first ${long}` },
  { role: 'assistant', content: `second ${long}` },
  { role: 'user', content: `third ${long}` },
  { role: 'assistant', content: `fourth ${long}` },
  { role: 'user', content: 'last' },
];
const tool = { type: 'function', function: { name: 'look', parameters: { type: 'object' } } };
const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };

const rolesOf = ({ body }: ScriptedRequest) =>
  (body['messages'] as { role: string }[]).map(({ role }) => role);

describe('a conversation that is too long', () => {
  const body = { model: 'm', messages: turns, max_tokens: 50 };
  const tooLong: Script = (_, index) => (index === 0 ? overflow(440, 330) : { body: said('Fine.') });

  test('is sent again without its oldest turns', async () => {
    const { engine, post } = await setUp(tooLong, { trimContext: true });
    const answer = await post('/v1/chat/completions', body);
    expect([answer.status, answer.json()]).toEqual([200, said('Fine.')]);
    expect(answer.headers['x-llamero-repaired']).toBe('trimContext(2)');
    expect(engine.asked.map(rolesOf)).toEqual([
      ['system', 'user', 'assistant', 'user', 'assistant', 'user'],
      ['system', 'user', 'assistant', 'user'],
    ]);
  });

  test('is refused as before where nobody wants it shortened', async () => {
    const { engine, post } = await setUp(tooLong, {});
    const answer = await post('/v1/chat/completions', body);
    expect([answer.status, engine.asked.length]).toEqual([400, 1]);
    expect(answer.headers['x-llamero-repaired']).toBeUndefined();
  });

  test('keeps every other member as it came', async () => {
    const { engine, post } = await setUp(tooLong, { trimContext: true });
    const more = '"seed":9007199254740993,"weird":{"a":[1]},"reasoning_effort":"high","temperature":0.50';
    await post(
      '/v1/chat/completions',
      Buffer.from(`{"model":"m",${more},"messages":${JSON.stringify(turns)}}`),
    );
    expect(engine.asked[1]?.text.startsWith(`{"model":"m",${more},"messages":[`)).toBe(true);
  });

  test('is shortened once, and then the last error is the answer', async () => {
    const { engine, router, post } = await setUp((_, index) => overflow(440 - index, 330), {
      trimContext: true,
    });
    const answer = await post('/v1/chat/completions', body);
    expect([answer.status, engine.asked.length]).toEqual([400, 2]);
    expect(answer.headers['x-llamero-repaired']).toBe('trimContext(2)');
    expect(answer.json()).toMatchObject({ error: { n_prompt_tokens: 439 } });
    await until(async () => (await router.status()).requests.in_flight === 0);
  });

  test('goes without tools when that is not enough', async () => {
    const script: Script = ({ body: sent }) =>
      'tools' in sent ? overflow(440, 330) : { body: said('Fine.') };
    const { engine, post } = await setUp(script, { trimContext: true, dropTools: true });
    const answer = await post('/v1/chat/completions', { ...body, tools: [tool], tool_choice: 'auto' });
    expect([answer.status, answer.headers['x-llamero-repaired']]).toEqual([200, 'trimContext(2), dropTools']);
    expect(engine.asked.length).toBe(3);
    expect(engine.asked[2]?.body).not.toHaveProperty('tool_choice');
    expect(engine.asked.slice(1).map((sent) => rolesOf(sent).length)).toEqual([4, 4]);
  });

  test('cannot be helped where only the last message is too long', async () => {
    const { engine, post } = await setUp(() => overflow(440, 30), { trimContext: true });
    const answer = await post('/v1/chat/completions', { model: 'm', messages: [turns[1]] });
    expect([answer.status, engine.asked.length]).toEqual([400, 1]);
    expect(answer.headers['x-llamero-repaired']).toBeUndefined();
  });

  test.each<[string, string, object]>([
    [
      'Messages',
      '/v1/messages',
      { model: 'm', max_tokens: 50, system: 'You are terse.', messages: turns.slice(1) },
    ],
    ['Responses', '/v1/responses', { model: 'm', input: turns, max_output_tokens: 50 }],
    ['Ollama', '/api/chat', { model: 'm', stream: false, messages: turns, options: { num_predict: 50 } }],
  ])('is shortened for a client of %s over chat completions', async (_, path, sent) => {
    const script: Script = ({ body: { stream } }, index) => {
      if (index === 0) return overflow(440, 330);
      return stream === true ? saidInStream('Fine.') : { body: said('Fine.') };
    };
    const { engine, post } = await setUp(script, { trimContext: true });
    const answer = await post(path, sent);
    expect(answer.status).toBe(200);
    expect(answer.body.toString()).toContain('Fine.');
    expect(answer.headers['x-llamero-repaired']).toBe('trimContext(2)');
    expect(engine.asked.map(rolesOf)[1]).toEqual(['system', 'user', 'assistant', 'user']);
  });

  test('is shortened before it is sent, once the engine has said how much it holds', async () => {
    const script: Script = (request) =>
      rolesOf(request).length > 4 ? overflow(440, 330) : { body: said('Fine.') };
    const { engine, post } = await setUp(script, { trimContext: true });
    await post('/v1/chat/completions', body);
    const again = await post('/v1/chat/completions', body);
    expect([again.status, again.headers['x-llamero-repaired']]).toEqual([200, 'trimContext(2)']);
    expect(engine.asked.map((sent) => rolesOf(sent).length)).toEqual([6, 4, 4]);
    const short = await post('/v1/chat/completions', { ...body, messages: turns.slice(3) });
    expect(short.headers['x-llamero-repaired']).toBeUndefined();
  });

  test('is shortened before it is sent, where the engine tells its context and it is too long by far', async () => {
    const list = { data: [{ id: 'm', object: 'model', owned_by: 'vllm', max_model_len: 200 }] };
    const engine = await startScriptedEngine({
      probes: { '/health': {}, '/v1/models': list, '/version': { version: '0.11.2' } },
      answer: () => ({ body: said('Fine.') }),
    });
    closing.push(() => engine.close());
    const repairs = { trimContext: true };
    const router = await startRouter({ backends: { one: { url: engine.url, engine: 'vllm', repairs } } });
    closing.push(() => router[Symbol.asyncDispose]());
    await router.ready();
    const post = (messages: readonly object[]) =>
      ask(`${router.url}/v1/chat/completions`, { body: { model: 'm', messages, max_tokens: 20 } }).answer;
    expect((await post(turns)).headers['x-llamero-repaired']).toBe('trimContext(4)');
    // Only guessed to be too long: the engine may say so, or take it.
    expect((await post(turns.slice(2))).headers['x-llamero-repaired']).toBeUndefined();
    expect(engine.asked.map((sent) => rolesOf(sent).length)).toEqual([2, 4]);
  });

  test('is let in although it is certainly longer than the context', async () => {
    const engine = await startFakeEngine({
      models: [{ id: 'tiny', contextTokens: 300, promptTokensPerS: 50_000, tokensPerS: 2000 }],
    });
    closing.push(() => engine.close());
    const messages = Array.from({ length: 41 }, (_, index) => ({
      role: index % 2 === 0 ? 'user' : 'assistant',
      content: index === 40 ? 'last' : `${index} ${long}`,
    }));
    const sent = { model: 'tiny', messages, max_tokens: 8 };
    for (const trimContext of [false, true]) {
      const router = await startRouter({ backends: { one: { url: engine.url, repairs: { trimContext } } } });
      closing.push(() => router[Symbol.asyncDispose]());
      await router.ready();
      const answer = await ask(`${router.url}/v1/chat/completions`, { body: sent }).answer;
      expect(answer.status).toBe(trimContext ? 200 : 400);
      if (trimContext) expect(answer.headers['x-llamero-repaired']).toMatch(/^trimContext\(\d+\)$/);
    }
  });
});

describe('a stream', () => {
  const body = { model: 'm', messages: turns, stream: true, max_tokens: 50 };
  const late: ScriptedAnswer = {
    type: 'text/event-stream',
    body: `data: ${JSON.stringify(overflow(440, 330).body)}\n\n`,
  };

  test.each([
    ['by its status', overflow(440, 330)],
    ['by its first event', late],
  ])('that is refused %s comes after all', async (_, first) => {
    const script: Script = (_request, index) => (index === 0 ? first : saidInStream('Fine.'));
    const { engine, post } = await setUp(script, { trimContext: true });
    const answer = await post('/v1/chat/completions', body);
    expect([answer.status, answer.headers['x-llamero-repaired']]).toEqual([200, 'trimContext(2)']);
    expect(answer.body.toString()).toContain('Fine.');
    expect(answer.body.toString()).not.toContain('exceeds');
    expect(engine.asked.length).toBe(2);
  });

  test('of another dialect comes after all', async () => {
    const script: Script = (_, index) => (index === 0 ? late : saidInStream('Fine.'));
    const { post } = await setUp(script, { trimContext: true });
    const sent = { model: 'm', max_tokens: 50, stream: true, messages: turns.slice(1) };
    const answer = await post('/v1/messages', sent);
    expect([answer.status, answer.headers['x-llamero-repaired']]).toEqual([200, 'trimContext(2)']);
    expect(answer.body.toString()).toMatch(/^event: message_start/);
    expect(answer.body.toString()).toContain('Fine.');
  });

  test.each(['/v1/chat/completions', '/v1/messages'])(
    'of %s that has begun with signs of life goes on with the answer',
    async (path) => {
      const slowly: Script = (_, index) => ({
        write(response) {
          const {
            status = 200,
            type = 'application/json',
            body: text = '',
          } = index === 0 ? overflow(440, 330) : saidInStream('Fine.');
          setTimeout(() => {
            response.writeHead(status, { 'content-type': type });
            response.end(typeof text === 'string' ? text : JSON.stringify(text));
          }, 60);
        },
      });
      const { engine, post } = await setUp(
        slowly,
        { trimContext: true },
        { streaming: { keepalive: '20ms' } },
      );
      const answer = await post(path, { ...body, messages: turns.slice(1) });
      expect([answer.status, answer.complete, engine.asked.length]).toEqual([200, true, 2]);
      expect(answer.body.toString()).toMatch(/^(?::|event: ping)/);
      expect(answer.body.toString()).toContain('Fine.');
      expect(answer.body.toString()).not.toContain('exceeds');
    },
  );

  test('whose error nothing helps against tells it as before', async () => {
    const { engine, post } = await setUp(() => late, { dropImages: true });
    const answer = await post('/v1/chat/completions', body);
    expect(answer.body.toString()).toContain('exceeds the available context size');
    expect(engine.asked.length).toBe(1);
  });

  test('passes byte by byte as it came where nothing has to be repaired', async () => {
    const answers = saidInStream('Fine.');
    const { post } = await setUp(() => answers, { trimContext: true, dropTools: true, dropImages: true });
    const answer = await post('/v1/chat/completions', { ...body, stream_options: { include_usage: true } });
    expect(answer.body.toString()).toBe(answers.body);
  });
});

describe('tools', () => {
  const asking = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], tools: [tool] };
  const script: Script = ({ body }) => ('tools' in body ? noTools : { body: said('Fine.') });

  test('are left out for a model that has none', async () => {
    const { engine, post } = await setUp(script, { dropTools: true });
    const answer = await post('/v1/chat/completions', {
      ...asking,
      tool_choice: 'required',
      parallel_tool_calls: false,
    });
    expect([answer.status, answer.headers['x-llamero-repaired']]).toEqual([200, 'dropTools']);
    expect(Object.keys(engine.asked[1]?.body ?? {})).toEqual(['model', 'messages']);
  });

  test('stay where nobody wants them to go', async () => {
    const { post } = await setUp(script, { dropImages: true, trimContext: true });
    expect((await post('/v1/chat/completions', asking)).status).toBe(400);
  });
});

describe('images', () => {
  const script: Script = ({ text }) => (text.includes('image_url') ? noImages : { body: said('Fine.') });
  const content = [{ type: 'text', text: 'What is it?' }, image];

  test('are left out for a model that cannot see', async () => {
    const { engine, router, post } = await setUp(script, { dropImages: true });
    const answer = await post('/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content }] });
    expect([answer.status, answer.headers['x-llamero-repaired']]).toEqual([200, 'dropImages']);
    expect(engine.asked[1]?.text).toContain('[image left out]');
    const { backends } = await router.status();
    expect(backends[0]?.state).toBe('live');
  });

  test('and tools are left out, one after the other', async () => {
    const both: Script = (request, index) => ('tools' in request.body ? noTools : script(request, index));
    const { engine, post } = await setUp(both, { dropImages: true, dropTools: true });
    const messages = [{ role: 'user', content }];
    const answer = await post('/v1/chat/completions', { model: 'm', messages, tools: [tool] });
    expect([answer.status, answer.headers['x-llamero-repaired']]).toEqual([200, 'dropTools, dropImages']);
    expect(engine.asked.length).toBe(3);
  });
});

describe('another backend', () => {
  test('gets the request as the client sent it', async () => {
    const full: Script = (_, index) =>
      index === 0 ? overflow(440, 330) : { status: 503, body: { error: { message: 'full' } } };
    const [small, large] = await Promise.all([
      startScriptedEngine({ answer: full }),
      startScriptedEngine({ answer: () => ({ body: said('Fine.') }) }),
    ]);
    closing.push(
      () => small.close(),
      () => large.close(),
    );
    const repairs = { trimContext: true };
    const router = await startRouter({
      backends: {
        small: { url: small.url, engine: 'openai', repairs },
        large: { url: large.url, engine: 'openai', repairs, priority: 1 },
      },
      scheduling: { scorers: { priority: 1 }, picker: 'max-score' },
    });
    closing.push(() => router[Symbol.asyncDispose]());
    await router.ready();
    const body = { model: 'm', messages: turns, max_tokens: 50 };
    const answer = await ask(`${router.url}/v1/chat/completions`, { body }).answer;
    expect([answer.status, answer.headers['x-llamero-backend']]).toEqual([200, 'large']);
    expect(answer.headers['x-llamero-repaired']).toBeUndefined();
    expect([small.asked, large.asked].map((asked) => asked.map((sent) => rolesOf(sent).length))).toEqual([
      [6, 4],
      [6],
    ]);
  });
});

describe('a client that leaves', () => {
  test('between two attempts takes its slot with it', async () => {
    let hangs = false;
    const script: Script = (_, index) =>
      index === 0 ? overflow(440, 330) : { write: () => void (hangs = true) };
    const { router } = await setUp(script, { trimContext: true });
    const asking = ask(`${router.url}/v1/chat/completions`, { body: { model: 'm', messages: turns } });
    await until(() => hangs);
    asking.leave();
    await until(async () => (await router.status()).requests.in_flight === 0);
    const { backends } = await router.status();
    expect(backends[0]).toMatchObject({ state: 'live', slots: { own: 0, lingering: 0 } });
  });
});

describe('a prefix that changes', () => {
  test('is made steady before the request is sent', async () => {
    const { engine, post } = await setUp(() => ({ body: said('Fine.') }), { volatilePrefix: true });
    const system = 'You are terse.\nThe current time is 01:08.';
    const messages = [
      { role: 'system', content: system },
      { role: 'user', content: 'Hi' },
    ];
    const answer = await post('/v1/chat/completions', { model: 'm', messages });
    expect([answer.status, answer.headers['x-llamero-repaired']]).toEqual([200, 'volatilePrefix']);
    expect(engine.asked[0]?.body['messages']).toContainEqual({
      role: 'system',
      content: 'You are terse.',
    });
  });
});

describe('what was repaired', () => {
  test('is in the log, the metrics and what the API tells of the request', async () => {
    const script: Script = (_, index) => (index === 0 ? overflow(440, 330) : { body: said('Fine.') });
    const { router, post } = await setUp(script, { trimContext: true });
    const answer = await post('/v1/chat/completions', { model: 'm', messages: turns, max_tokens: 50 });
    const id = String(answer.headers['x-request-id']);
    await until(() => router.logLines.some(({ requestId }) => requestId === id));
    expect(router.logLines.find(({ requestId }) => requestId === id)).toMatchObject({
      repaired: ['trimContext(2)'],
    });
    const { recent } = (await ask(`${router.url}/api/requests`).answer).json() as { recent: object[] };
    expect(recent[0]).toMatchObject({ request_id: id, repairs: ['trimContext(2)'], status: 200 });
    const metrics = parsePrometheusText((await ask(`${router.url}/metrics`).answer).body.toString());
    expect(valueOf(metrics, 'llamero_repairs_total', { repair: 'trimContext' })).toBe(1);
    const activity = await ask(`${router.url}/api/metrics/activity`).answer;
    expect(activity.body.toString()).toContain('"repaired":"trimContext(2)"');
  });
});
