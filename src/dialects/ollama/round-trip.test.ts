import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryChatRequest, arbitraryTextRequest } from '../../../test/dialects/arbitrary-request.ts';
import { write } from '../../../test/dialects/ollama-requests.ts';
import { requestSamples as chatSamples } from '../../../test/dialects/samples/ollama-chat.ts';
import { requestSamples as generateSamples } from '../../../test/dialects/samples/ollama-generate.ts';
import type { JsonObject, ModelRequest } from '../ir/request.ts';
import { mediaTypeOf } from './images.ts';
import { ollamaChat, ollamaGenerate } from './index.ts';

describe('reading what was written', () => {
  const sampling = [
    'maxTokens',
    'temperature',
    'topP',
    'topK',
    'minP',
    'typicalP',
    'seed',
    'stop',
    'frequencyPenalty',
    'presencePenalty',
    'repeatPenalty',
    'repeatLastN',
    'logprobs',
    'topLogprobs',
  ] as const;
  const common = {
    usageInStream: true,
    formats: ['json', 'schema'],
    formatMembers: [],
    reasoning: ['enabled'],
    sampling,
    members: ['keepAlive', 'contextTokens'],
  } as const;

  function again(request: ModelRequest, dialect: typeof ollamaChat): ModelRequest {
    const { body, dropped } = write(request, dialect);
    expect(dropped).toEqual([]);
    return dialect.readRequest(JSON.parse(JSON.stringify(body)) as JsonObject);
  }

  /** What Ollama does not say is found again by other means. */
  function expected(request: ModelRequest): unknown {
    return JSON.parse(JSON.stringify(request), (_key, value: unknown) => {
      const object = value as Record<string, unknown> | null;
      if (object?.['kind'] === 'base64') object['mediaType'] = mediaTypeOf(String(object['data']));
      if (object?.['kind'] === 'function') object['parameters'] ??= { type: 'object', properties: {} };
      return value;
    }) as unknown;
  }

  test('gives the same conversation', () => {
    const arbitrary = arbitraryChatRequest({
      ...common,
      dialect: 'ollama-chat',
      systemRoles: ['system'],
      userParts: ['text', 'image'],
      assistantParts: ['reasoning', 'text', 'toolCall'],
      resultParts: ['text', 'image'],
      partsMax: 1,
      imageSources: ['base64'],
      imageDetail: false,
      reasoningProofs: [],
      resultMembers: ['name'],
      messageNames: false,
      tools: ['function'],
      toolMembers: ['description', 'parameters'],
      toolChoices: [],
    });
    fc.assert(
      fc.property(arbitrary, (request) => {
        expect(again(request, ollamaChat)).toEqual(expected(request));
      }),
      { numRuns: 300 },
    );
  });

  test('gives the same text', () => {
    const shape = { ...common, dialect: 'ollama-generate', prompts: ['text'] } as const;
    const arbitrary = fc.oneof(
      arbitraryTextRequest({ ...shape, raw: false, textMembers: ['suffix', 'system', 'images'] }),
      arbitraryTextRequest({ ...shape, raw: true, textMembers: ['images'] }),
    );
    fc.assert(
      fc.property(arbitrary, (request) => {
        expect(again(request, ollamaGenerate)).toEqual(expected(request));
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ...chatSamples.map((sample) => ({ ...sample, dialect: ollamaChat })),
    ...generateSamples.map((sample) => ({ ...sample, dialect: ollamaGenerate })),
  ])('gives the same for the sample of $field', ({ body, dialect }) => {
    const request = dialect.readRequest(body);
    expect(again(request, dialect)).toEqual(expected(request));
  });
});
