/**
 * The simulated engine answers in the shapes of a real llama-server: status, headers in order, keys in order, types,
 * and the sequence of stream frames, compared with what test/fixtures/record.ts recorded from the real one.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createSimEngine, type SimEngine } from '../../src/sim/engine/engine.ts';
import type { SimEngineOptions, SimModel } from '../../src/sim/engine/options.ts';
import { exchange } from '../fixtures/exchange.ts';
import { fixtureRequests, type FixtureExchange, type ServerName } from '../fixtures/llamacpp-requests.ts';

const fast = { contextTokens: 4096, promptTokensPerS: 1e6, tokensPerS: 2000 };
const tiny: SimModel = { ...fast, id: 'tiny', aliases: ['tiny-alias'] };
const shared = { name: 'shapes', slots: 4, seed: 1 };
const routed = ['tiny-chat', 'tiny-embed', 'tiny-rerank', 'tiny-think'].map((id) => ({ ...fast, id }));

const engines: Readonly<Record<ServerName, SimEngineOptions>> = {
  chat: { ...shared, models: [tiny] },
  think: { ...shared, models: [{ ...fast, id: 'thinker', thinks: true }] },
  embed: { ...shared, models: [{ ...fast, id: 'embed' }], embeddings: true },
  rerank: { ...shared, models: [{ ...fast, id: 'rerank' }], rerank: true },
  keyed: { ...shared, models: [tiny], apiKey: 'k1' },
  router: { ...shared, models: routed as unknown as SimEngineOptions['models'], router: { modelsMax: 2 } },
};

/** Error texts that quote the parser; only their shape is compared. */
const freeTexts = new Set(['chat with bad json']);

for (const server of Object.keys(engines) as ServerName[]) {
  describe(`the simulated ${server} server`, () => {
    const recorded = readFixtures(server);
    let engine: SimEngine;
    let url: string;

    beforeAll(async () => {
      engine = createSimEngine(engines[server]);
      ({ url } = await engine.listen());
    });
    afterAll(() => engine.close());

    test('has a recorded answer for every request', () => {
      expect(recorded.map(({ request }) => request.name)).toEqual(
        fixtureRequests[server].map(({ name }) => name),
      );
    });

    for (const real of recorded) {
      test(`answers '${real.request.name}' as llama-server does`, async () => {
        const simulated = await exchange(url, real.request);
        expect(describeAnswer(simulated)).toEqual(describeAnswer(real));
      });
    }
  });
}

function readFixtures(server: ServerName): FixtureExchange[] {
  const file = path.join(import.meta.dirname, '../fixtures/llamacpp', `${server}.json`);
  return JSON.parse(readFileSync(file, 'utf8')) as FixtureExchange[];
}

function describeAnswer({ request, status, headers, body }: FixtureExchange): unknown {
  return { status, headers: headerShape(headers), body: bodyShape(request.name, headers, body) };
}

function headerShape(headers: readonly string[]): string[] {
  const varies = new Set(['Content-Length', 'Process-Start-Time-Unix']);
  return headers.flatMap((value, at) => {
    if (at % 2 === 0) return [];
    const name = headers[at - 1] ?? '';
    return [`${name}: ${varies.has(name) ? '…' : value}`];
  });
}

function bodyShape(name: string, headers: readonly string[], body: string): unknown {
  const type = headers[headers.indexOf('Content-Type') + 1] ?? '';
  if (type.startsWith('text/event-stream')) return frameShapes(body);
  if (type.startsWith('text/plain')) return body.split('\n').filter((line) => line.startsWith('# TYPE'));
  const json = JSON.parse(body) as unknown;
  const message = (json as { error?: { message?: string } }).error?.message;
  if (message !== undefined && !freeTexts.has(name)) return [message.replaceAll(/\d+/g, 'N'), shape(json)];
  // How many slots were used so far is not compared, only how used ones look.
  if (name.startsWith('slots') && name !== 'slots never used') {
    return shape((json as object[]).filter((slot) => 'id_task' in slot));
  }
  return shape(json);
}

/** One entry per run of frames of the same shape: how many tokens there are is not compared. */
function frameShapes(body: string): string[] {
  const shapes = body
    .split('\n\n')
    .filter((frame) => frame !== '')
    .map((frame) => {
      const lines = frame.split('\n').map((line) => {
        const data = /^data: (.*)$/.exec(line)?.[1];
        return data === undefined || data === '[DONE]' ? line : JSON.stringify(shape(JSON.parse(data)));
      });
      return lines.join(' ');
    });
  return shapes.filter((each, at) => each !== shapes[at - 1]);
}

/** Types instead of values; keys keep their order; a list becomes the different shapes in it. */
function shape(value: unknown): unknown {
  if (value === null) return null;
  if (Array.isArray(value)) {
    return [...new Set(value.map((each) => JSON.stringify(shape(each))))].sort();
  }
  if (typeof value !== 'object') return typeof value;
  return Object.entries(value).map(([key, each]) => [key, shape(each)]);
}
