import { expect, test } from 'vitest';
import { Captures } from './captures.ts';

let nowMs = 0;
const clock = { nowMs: () => nowMs, epochMs: () => nowMs };

const secrets = ['Authorization', 'Bearer x', 'X-API-Key', 'y', 'cookie', 'z', 'Accept', 'a', 'accept', 'b'];

function keep(
  captures: Captures,
  id: number,
  { path = '/v1/chat/completions', size = 10, keepsAnswer = true } = {},
) {
  const draft = captures.begin(path);
  if (draft === undefined) throw new Error('nothing is kept');
  draft.request(Buffer.from('{"a":1}'));
  for (let index = 0; index < size; index += 1) draft.push(Buffer.from('0123456789'));
  captures.add(id, {
    path,
    requestHeaders: secrets,
    responseHeaders: ['Content-Type', 'text/event-stream', 'Set-Cookie', 'secret'],
    draft,
    keepsAnswer,
  });
}

async function eventually(holds: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > deadlineMs) throw new Error('not so within 5 s');
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

test('MET-7: a capture is read as it came, with credentials masked', async () => {
  const captures = new Captures(100_000, clock);
  keep(captures, 7, { size: 2 });
  const capture = await captures.get(7);
  expect(capture).toEqual({
    id: 7,
    path: '/v1/chat/completions',
    requestHeaders: {
      Authorization: '[REDACTED]',
      'X-API-Key': '[REDACTED]',
      cookie: '[REDACTED]',
      Accept: 'a, b',
    },
    requestBody: Buffer.from('{"a":1}'),
    responseHeaders: { 'Content-Type': 'text/event-stream', 'Set-Cookie': '[REDACTED]' },
    responseBody: Buffer.from('01234567890123456789'),
  });
  expect(await captures.get(8)).toBeUndefined();
  captures.close();
});

test('captures are compressed after a while, and read the same', async () => {
  const captures = new Captures(100_000, clock);
  for (let id = 1; id <= 5; id += 1) keep(captures, id, { size: 1000 });
  expect(captures.bytes).toBeGreaterThan(80_000);
  await eventually(() => captures.bytes < 5000);
  expect((await captures.get(1))?.responseBody.length).toBe(10_000);
  captures.close();
});

test.each([
  ['/v1/audio/speech', true, false],
  ['/v1/images/generations', true, false],
  ['/sdapi/v1/txt2img', true, false],
  ['/v1/audio/voices', false, true],
  ['/v1/audio/transcriptions', false, true],
  ['/v1/images/edits', false, false],
  ['/sdapi/v1/img2img', false, false],
  ['/v1/embeddings', true, true],
])('MET-4: of %s the request is kept: %s, the answer: %s', async (path, request, response) => {
  const captures = new Captures(100_000, clock);
  keep(captures, 1, { path });
  const capture = await captures.get(1);
  expect([capture?.requestBody.length, capture?.responseBody.length]).toEqual([
    request ? 7 : 0,
    response ? 100 : 0,
  ]);
  captures.close();
});

test('MET-2: of an error only the request and the heads are kept', async () => {
  const captures = new Captures(100_000, clock);
  keep(captures, 1, { keepsAnswer: false });
  const capture = await captures.get(1);
  expect([capture?.requestBody.length, capture?.responseBody.length]).toEqual([7, 0]);
  expect(capture?.responseHeaders).toHaveProperty('Content-Type');
  captures.close();
});

test('LIB-1: what is larger than the budget is refused, and the oldest leave for the newest', async () => {
  const captures = new Captures(5000, clock);
  keep(captures, 1, { size: 400 });
  expect(captures.has(1)).toBe(false);
  for (const id of [2, 3, 4]) keep(captures, id, { size: 100 });
  expect([2, 3, 4].map((id) => captures.has(id))).toEqual([false, true, true]);
  expect((await captures.get(4))?.responseBody.length).toBe(1000);
  captures.configure(0);
  expect([captures.has(4), captures.begin('/v1/embeddings')]).toEqual([false, undefined]);
  captures.close();
});

test('running requests together collect no more than the budget', () => {
  const captures = new Captures(3500, clock);
  const drafts = Array.from({ length: 5 }, () => captures.begin('/v1/embeddings'));
  for (const draft of drafts) draft?.push(Buffer.alloc(1000));
  expect(drafts.map((draft) => draft?.take()?.response.length)).toEqual([
    1000,
    1000,
    1000,
    undefined,
    undefined,
  ]);
  const later = captures.begin('/v1/embeddings');
  for (let index = 0; index < 2; index += 1) later?.push(Buffer.alloc(1000, index));
  expect(later?.take()?.response.length).toBe(2000);
});

test('of very many requests in a second only some are kept', () => {
  const captures = new Captures(5000, clock);
  const begun = () =>
    Array.from({ length: 150 }, () => captures.begin('/v1/embeddings')).filter(Boolean).length;
  nowMs += 1000;
  expect(begun()).toBe(100);
  nowMs += 999;
  expect(begun()).toBe(0);
  nowMs += 1;
  expect(begun()).toBe(100);
});
