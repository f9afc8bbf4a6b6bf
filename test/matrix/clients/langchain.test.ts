/** LangChain's chat models over real llama-servers and over engines with one API each. */
import { ChatAnthropic } from '@langchain/anthropic';
import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import {
  AIMessageChunk,
  HumanMessage,
  ToolMessage,
  type AIMessage,
  type BaseMessage,
} from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOllama } from '@langchain/ollama';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { realLlamaServer } from '../../real/llama-server.ts';
import { modelName } from '../engines/subjects.ts';
import {
  embedModel,
  realModels,
  recordedTitles,
  startRealEngines,
  startRecorded,
  type RealEngines,
  type RecordedRouter,
} from './engines.ts';

interface Asked {
  readonly url: string;
  readonly model: string;
  readonly maxTokens?: number;
}

const openai = ({ url, ...fields }: Asked) => ({
  ...fields,
  apiKey: 'none',
  maxRetries: 0,
  configuration: { baseURL: `${url}/v1` },
});

const libraries: readonly { readonly name: string; readonly create: (asked: Asked) => BaseChatModel }[] = [
  { name: 'ChatOpenAI', create: (asked) => new ChatOpenAI(openai(asked)) },
  {
    name: 'ChatOpenAI with the Responses API',
    create: (asked) => new ChatOpenAI({ ...openai(asked), useResponsesApi: true }),
  },
  {
    name: 'ChatAnthropic',
    create: ({ url, model, maxTokens }) =>
      new ChatAnthropic({
        model,
        apiKey: 'none',
        anthropicApiUrl: url,
        maxRetries: 0,
        maxTokens: maxTokens ?? 512,
      }),
  },
  {
    name: 'ChatOllama',
    create: ({ url, model, maxTokens }) =>
      new ChatOllama({
        model,
        baseUrl: url,
        maxRetries: 0,
        ...(maxTokens !== undefined && { numPredict: maxTokens }),
      }),
  },
];

const weather = tool(() => '21 degrees', {
  name: 'get_weather',
  description: 'Weather of a city',
  schema: z.object({ city: z.string(), days: z.number().int() }),
});
const time = tool(() => 'noon', {
  name: 'get_time',
  description: 'Time',
  schema: z.object({ city: z.string() }),
});
const call = { name: 'get_weather', args: { city: 'Delft "é"\n', days: 2 } };

const { path, missing } = realLlamaServer();

describe('over a real llama-server', () => {
  beforeEach((context) => context.skip(path === undefined, missing));
  let engines: RealEngines;
  beforeAll(async () => {
    if (path === undefined) return;
    engines = await startRealEngines();
  });
  afterAll(() => engines?.[Symbol.asyncDispose]());

  describe.each(libraries)('$name', ({ name, create }) => {
    test.each(realModels)('invokes and streams with %s', async (id) => {
      const model = create({ url: engines.url, model: id, maxTokens: 6 });
      const message: AIMessage = await model.invoke('tell me of the river');
      expect(message.text).not.toBe('');
      expect(message.usage_metadata).toMatchObject({ output_tokens: 6 });
      // llama-server's own Responses stream has no indexes, which this client cannot do without.
      if (id === 'native' && name.includes('Responses')) return;
      const streamed = await gather(await model.stream('tell me of the river'));
      expect(streamed.text).not.toBe('');
      expect(streamed.usage_metadata).toMatchObject({ output_tokens: 6 });
    });
  });

  test('OpenAIEmbeddings embeds', async () => {
    const model = new OpenAIEmbeddings(openai({ url: engines.url, model: embedModel }));
    const vectors = await model.embedDocuments(['the river', 'the city']);
    expect(vectors.map(({ length }) => length > 8)).toEqual([true, true]);
  });
});

describe.each(recordedTitles)('over an engine: %s', (title) => {
  let router: RecordedRouter;
  beforeAll(async () => {
    router = await startRecorded(title);
  });
  afterAll(() => router[Symbol.asyncDispose]());

  describe.each(libraries)('$name', ({ create }) => {
    const model = () => create({ url: router.url, model: modelName });

    test('goes through a loop of tools in two turns', async () => {
      const { mark } = router.play('tools, two turns');
      const tooled = bound(model(), [weather]);
      const question = new HumanMessage(`${mark} Weather in Delft?`);
      const first = (await tooled.invoke([question])) as AIMessage;
      expect(first.tool_calls).toEqual([expect.objectContaining(call)]);
      const second = await tooled.invoke([question, first, ...(await resultsOf(first))]);
      expect(second.text).toBe('It is 21 degrees.');
    });

    test('goes through a loop of two tools at once, streamed', async () => {
      const { mark, cell } = router.play('parallel tools after text, two turns');
      const tooled = bound(model(), [weather, time]);
      const question = new HumanMessage(`${mark} Weather and time?`);
      const first = await gather(await tooled.stream([question]));
      expect(first.tool_calls).toEqual([
        expect.objectContaining(call),
        expect.objectContaining({ name: 'get_time', args: { city: 'Paris' } }),
      ]);
      expect(first.text).toBe('Let me look.');
      const second = await gather(await tooled.stream([question, first, ...(await resultsOf(first))]));
      expect(second.text).toBe('Warm at noon.');
      expect(cell.arrived.at(-1)?.results.map(({ text }) => text)).toEqual(['21 degrees', 'noon']);
    });

    test('is told of an error', async () => {
      const { mark } = router.play('context overflow');
      await expect(model().invoke(mark)).rejects.toThrow(/4096/);
    });
  });
});

function bound(model: BaseChatModel, tools: readonly (typeof weather | typeof time)[]) {
  const withTools = model.bindTools?.([...tools]);
  if (withTools === undefined) throw new Error('takes no tools');
  return withTools;
}

async function gather(stream: AsyncIterable<BaseMessage>): Promise<AIMessageChunk> {
  let whole: AIMessageChunk | undefined;
  for await (const piece of stream) {
    if (!(piece instanceof AIMessageChunk)) throw new Error('no piece of an answer');
    whole = whole === undefined ? piece : whole.concat(piece);
  }
  if (whole === undefined) throw new Error('an empty stream');
  return whole;
}

async function resultsOf({ tool_calls: calls = [] }: AIMessage): Promise<ToolMessage[]> {
  return Promise.all(
    calls.map(async ({ id = '', name, args }) => {
      const run = name === 'get_weather' ? weather.invoke(args as never) : time.invoke(args as never);
      return new ToolMessage({ tool_call_id: id, name, content: String(await run) });
    }),
  );
}
