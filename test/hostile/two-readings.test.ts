/**
 * Bodies in which another reader finds another model than the router does: a key for one model must not reach the other one
 * of the same engine, and nobody's request may run as something else than it was accounted for.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startScriptedEngine, type ScriptedEngine } from '../fake-engine/scripted-engine.ts';
import { startRouter, type TestRouter } from '../integration/start-router.ts';
import { sendHead, statusOf } from './send-head.ts';

const models = ['allowed', 'secret'].map((id) => ({ id, object: 'model', owned_by: 'test' }));
const chat = 'POST /v1/chat/completions';
const upload = 'POST /v1/audio/transcriptions';

let engine: ScriptedEngine;
let router: TestRouter;
beforeAll(async () => {
  engine = await startScriptedEngine({
    probes: { '/health': { status: 'ok' }, '/v1/models': { object: 'list', data: models } },
    answer: () => ({ body: { choices: [] } }),
  });
  router = await startRouter({
    backends: { one: { url: engine.url } },
    apiKeys: ['everything', { name: 'limited', key: 'one-model', models: ['allowed'] }],
  });
  await router.ready();
});
afterAll(async () => {
  await router[Symbol.asyncDispose]();
  await engine.close();
});

interface Sent {
  readonly key: string;
  readonly line: string;
  readonly body: string | Buffer;
  readonly type?: string;
}

async function send({ key, line, body, type = 'application/json' }: Sent): Promise<string> {
  const text = Buffer.isBuffer(body) ? body.toString('latin1') : body;
  const headers = [`Content-Length: ${text.length}`, `Content-Type: ${type}`, `X-Api-Key: ${key}`];
  return await sendHead(router.url, line, headers, text);
}

const field = (disposition: string, value: string): string =>
  `--B\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${value}\r\n`;
const inForm = 'multipart/form-data; boundary=B';

describe('a body that names two models', () => {
  test.each([
    ['twice', '{"model":"secret","model":"allowed"}'],
    ['and then none', '{"model":"secret","model":null}'],
    ['once in capitals, which readers in Go take as well', '{"model":"allowed","Model":"secret"}'],
    ['once in escapes', String.raw`{"model":"allowed","\u004dodel":"secret"}`],
  ])('%s is refused, whoever sends it', async (_, body) => {
    const asked = engine.asked.length;
    for (const key of ['everything', 'one-model']) {
      const answer = await send({ key, line: `${chat}?model=allowed`, body });
      expect([key, statusOf(answer), answer.includes('"request_malformed"')]).toEqual([key, 400, true]);
    }
    expect(engine.asked.length).toBe(asked);
  });

  test('the same one is not', async () => {
    const body = '{"model":"allowed","model":"allowed","messages":[]}';
    expect(statusOf(await send({ key: 'one-model', line: chat, body }))).toBe(200);
  });

  test.each([
    ['stream twice', '{"model":"allowed","stream":true,"stream":null}'],
    ['long s for the stream', '{"model":"allowed","\u017ftream":true}'],
    ['usage in capitals', '{"model":"allowed","Stream_Options":{"include_usage":false}}'],
  ])('is refused for the stream as well: %s', async (_, body) => {
    const answer = await send({ key: 'everything', line: chat, body: Buffer.from(body) });
    expect([statusOf(answer), answer.includes('"request_malformed"')]).toEqual([400, true]);
  });
});

const deep = '['.repeat(600) + ']'.repeat(600);
const manyMembers = Array.from({ length: 4_097 }, (_, index) => `"k${index}":1,`).join('');

describe('a body that the router cannot read', () => {
  test.each<[string, Omit<Sent, 'key'>]>([
    ['nested too deeply', { line: chat, body: `{"x":${deep},"model":"secret"}` }],
    ['of too many members', { line: chat, body: `{${manyMembers}"model":"secret"}` }],
    ['in UTF-16', { line: chat, body: Buffer.from('{"model":"secret"}', 'utf16le') }],
    ['with a comment', { line: chat, body: '{"model":"secret"/**/}' }],
    ['with NaN', { line: chat, body: '{"model":"secret","x":NaN}' }],
    ['with a model that is no text', { line: chat, body: '{"model":["secret"]}' }],
    [
      'of another boundary',
      { line: upload, type: 'multipart/form-data; boundary=C', body: field('name=model', 'secret') },
    ],
    [
      'of two boundaries',
      { line: upload, type: `${inForm}; boundary=C`, body: `${field('name=model', 'allowed')}--B--` },
    ],
    [
      'of another form',
      { line: upload, type: 'multipart/mixed; boundary=B', body: field('name=model', 'secret') },
    ],
    [
      'with a field twice',
      {
        line: upload,
        type: inForm,
        body: `${field('name=model', 'allowed')}${field('name=model', 'secret')}--B--`,
      },
    ],
    [
      'with a field of two names',
      {
        line: upload,
        type: inForm,
        body: `${field('name=model', 'allowed')}${field('name=x; name=model', 'secret')}--B--`,
      },
    ],
    [
      'with a field twice, urlencoded',
      { line: upload, type: 'application/x-www-form-urlencoded', body: 'model=allowed&model=secret' },
    ],
    [
      'that is JSON and a form',
      {
        line: upload,
        type: 'application/x-www-form-urlencoded',
        body: '{"model":"allowed","x":"&model=secret&"}',
      },
    ],
  ])('%s reaches no engine of several models with a key for one of them', async (_, sent) => {
    const asked = engine.asked.length;
    const answer = await send({ ...sent, line: `${sent.line}?model=allowed`, key: 'one-model' });
    expect([statusOf(answer), answer.includes('"model_not_allowed"')]).toEqual([403, true]);
    expect(engine.asked.length).toBe(asked);
  });

  test('in a form is not taken for JSON because it is that as well', async () => {
    const form = `\r\n${field('name=model', 'secret')}--B--\r\n`;
    const body = `{"model":"allowed","x":"${form}"}`;
    const answer = await send({ key: 'one-model', line: upload, type: inForm, body });
    expect([statusOf(answer), answer.includes('"model_not_allowed"')]).toEqual([403, true]);
  });
});
