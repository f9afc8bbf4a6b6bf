/** The engines of the matrix: what each answers to probes, which endpoints it has, and how a router is told of it. */
import type { EngineName } from '../../../src/domain/engine-names.ts';
import type { TranslatableRoute } from '../../../src/domain/routes.ts';
import { type Answer, type EngineFixture, engineFixtures } from '../../contract/engine-fixtures.ts';
import { chatWire } from './chat-wire.ts';
import { completionsWire } from './completions-wire.ts';
import { messagesWire } from './messages-wire.ts';
import { ollamaChatWire, ollamaGenerateWire } from './ollama-wire.ts';
import { responsesWire } from './responses-wire.ts';
import type { Wire } from './wire.ts';

export interface Subject {
  readonly title: string;
  readonly kind: EngineName;
  readonly probes: EngineFixture;
  readonly wires: Readonly<Partial<Record<TranslatableRoute, Wire>>>;
  /** `translate` of its backend. */
  readonly translate: readonly TranslatableRoute[];
  /** It tells by which text it was stopped. */
  readonly tellsStop: boolean;
}

export const modelName = 'tiny';

const models: Answer = { json: { object: 'list', data: [{ id: modelName, object: 'model' }] } };
const chat = { 'chat-completions': chatWire };
const openai = { ...chat, completions: completionsWire };

export const subjects: readonly Subject[] = [
  {
    title: 'llama.cpp',
    kind: 'llamacpp',
    probes: engineFixtures.llamacpp,
    wires: openai,
    // Its own streams there lack the indexes that the official clients need.
    translate: ['responses', 'messages'],
    tellsStop: false,
  },
  {
    title: 'Ollama',
    kind: 'ollama',
    probes: withModel(engineFixtures.ollama, {
      '/api/tags': { json: { models: [{ name: `${modelName}:latest`, size: 1, digest: 'a' }] } },
      '/api/ps': { json: { models: [] } },
    }),
    wires: { ...openai, 'ollama-chat': ollamaChatWire, 'ollama-generate': ollamaGenerateWire },
    translate: [],
    tellsStop: false,
  },
  {
    title: 'vLLM',
    kind: 'vllm',
    probes: withModel(engineFixtures.vllm, { '/v1/models': owned('vllm') }),
    wires: { ...openai, responses: responsesWire, messages: messagesWire },
    translate: [],
    tellsStop: true,
  },
  {
    title: 'SGLang',
    kind: 'sglang',
    probes: withModel(engineFixtures.sglang, { '/v1/models': owned('sglang') }),
    wires: openai,
    translate: [],
    tellsStop: true,
  },
  {
    title: 'LM Studio',
    kind: 'lmstudio',
    probes: withModel(engineFixtures.lmstudio, {
      '/api/v0/models': {
        json: {
          object: 'list',
          data: [{ id: modelName, type: 'llm', state: 'loaded', loaded_context_length: 8192 }],
        },
      },
    }),
    wires: { ...openai, responses: responsesWire },
    translate: [],
    tellsStop: false,
  },
  {
    title: 'chat completions only',
    kind: 'openai',
    probes: withModel(engineFixtures.openai),
    wires: chat,
    translate: [],
    tellsStop: false,
  },
  {
    title: 'Messages only',
    kind: 'openai',
    probes: withModel(engineFixtures.openai),
    wires: { messages: messagesWire },
    translate: ['chat-completions', 'completions', 'responses'],
    tellsStop: true,
  },
  {
    title: 'Responses only',
    kind: 'openai',
    probes: withModel(engineFixtures.openai),
    wires: { responses: responsesWire },
    translate: ['chat-completions', 'completions', 'messages'],
    tellsStop: false,
  },
];

function withModel(fixture: EngineFixture, routes: EngineFixture['routes'] = {}): EngineFixture {
  return { ...fixture, routes: { ...fixture.routes, '/v1/models': models, ...routes } };
}

function owned(owner: string): Answer {
  return {
    json: {
      object: 'list',
      data: [{ id: modelName, object: 'model', owned_by: owner, max_model_len: 8192 }],
    },
  };
}
