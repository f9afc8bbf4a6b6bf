/** The Messages API by the official `@anthropic-ai/sdk`. */
import Anthropic from '@anthropic-ai/sdk';
import type {
  ContentBlockParam,
  Message,
  MessageCreateParamsNonStreaming,
  MessageParam,
  Tool,
} from '@anthropic-ai/sdk/resources/messages';
import type { Asked, Call, Fields } from '../scenario.ts';
import type { Caller, Heard } from './caller.ts';

export const anthropic: Caller = {
  title: 'anthropic messages',
  route: 'messages',
  features: new Set(['tools', 'thought', 'images', 'schema', 'stop']),
  ends: { stop: 'end_turn', length: 'max_tokens', tools: 'tool_use' },
  hearsCached: true,
  asksForUsage: false,
  namesEffort: false,
  async ask({ url, fetch, asked, model, stream: wantsStream, signal, onText }) {
    const client = new Anthropic({ baseURL: url, apiKey: 'none', maxRetries: 0, fetch });
    const body = bodyOf(asked, model);
    if (!wantsStream) return hear(await client.messages.create(body, { signal }));
    const stream = client.messages.stream(body, { signal });
    stream.on('text', onText);
    return hear(await stream.finalMessage());
  },
  read(thrown) {
    if (!(thrown instanceof Anthropic.APIError)) return { status: undefined, message: String(thrown) };
    return { status: thrown.status as number | undefined, message: thrown.message };
  },
};

function bodyOf(asked: Asked, model: string): MessageCreateParamsNonStreaming {
  const { image, schema, results } = asked;
  const content: ContentBlockParam[] = [{ type: 'text', text: asked.text }];
  if (image !== undefined) {
    content.push({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: image } });
  }
  const messages: MessageParam[] = [{ role: 'user', content }];
  if (results !== undefined) {
    const calls = results.map(({ call }) => ({
      type: 'tool_use' as const,
      id: call.id,
      name: call.name,
      input: call.arguments,
    }));
    const outcomes = results.map(({ call, text }) => ({
      type: 'tool_result' as const,
      tool_use_id: call.id,
      content: text,
    }));
    messages.push({ role: 'assistant', content: calls }, { role: 'user', content: outcomes });
  }
  return {
    model,
    messages,
    max_tokens: asked.maxTokens ?? 2048,
    ...(asked.system !== undefined && { system: [{ type: 'text', text: asked.system }] }),
    ...(asked.tools && {
      tools: asked.tools.map(({ name, description, parameters }) => ({
        name,
        description,
        input_schema: parameters as Tool['input_schema'],
      })),
    }),
    ...(schema && { output_config: { format: { type: 'json_schema', schema: { ...schema } } } }),
    ...(asked.stop !== undefined && { stop_sequences: [asked.stop] }),
    ...(asked.think === true && { thinking: { type: 'enabled', budget_tokens: 1024 } }),
  };
}

function hear({ model, content, stop_reason: end, stop_sequence: stoppedAt, usage }: Message): Heard {
  const cached = usage.cache_read_input_tokens ?? 0;
  return {
    model,
    texts: [content.map((block) => (block.type === 'text' ? block.text : '')).join('')],
    thought: content.map((block) => (block.type === 'thinking' ? block.thinking : '')).join(''),
    calls: content.flatMap((block): Call[] =>
      block.type === 'tool_use' ? [{ id: block.id, name: block.name, arguments: block.input as Fields }] : [],
    ),
    end: end ?? undefined,
    stoppedAt,
    usage: {
      input: usage.input_tokens + cached + (usage.cache_creation_input_tokens ?? 0),
      output: usage.output_tokens,
      cached,
    },
  };
}
