/** The Responses API by the official `openai` client. */
import type {
  Response,
  ResponseCreateParamsNonStreaming,
  ResponseInputItem,
} from 'openai/resources/responses/responses';
import type { Asked, Call, Fields } from '../scenario.ts';
import { type Caller, type Heard, logprobText } from './caller.ts';
import { clientOf, readOpenAIError } from './openai-chat.ts';

export const openaiResponses: Caller = {
  title: 'openai responses',
  route: 'responses',
  features: new Set(['tools', 'thought', 'images', 'schema', 'logprobs']),
  ends: { stop: 'completed', length: 'incomplete', tools: 'completed' },
  hearsCached: true,
  asksForUsage: false,
  namesEffort: true,
  async ask(asking) {
    const { asked, model, signal } = asking;
    const body = bodyOf(asked, model);
    const { responses } = clientOf(asking);
    if (!asking.stream) return hear(await responses.create(body, { signal }));
    const stream = responses.stream({ ...body, stream: true }, { signal });
    let next = 0;
    stream.on('event', (event) => {
      if (event.sequence_number !== next++)
        throw new Error(`event ${next - 1} has number ${event.sequence_number}`);
    });
    stream.on('response.output_text.delta', ({ delta }) => asking.onText(delta));
    const response = await stream.finalResponse();
    if (response.status === 'failed') throw new Error(response.error?.message ?? 'failed without a word');
    return hear(response);
  },
  read: readOpenAIError,
};

function bodyOf(asked: Asked, model: string): ResponseCreateParamsNonStreaming {
  const { image, schema, results = [] } = asked;
  const input: ResponseInputItem[] = [
    {
      role: 'user',
      content: [
        { type: 'input_text', text: asked.text },
        ...(image === undefined
          ? []
          : [
              {
                type: 'input_image' as const,
                detail: 'auto' as const,
                image_url: `data:image/png;base64,${image}`,
              },
            ]),
      ],
    },
    ...results.map(({ call }): ResponseInputItem => ({
      type: 'function_call',
      call_id: call.id,
      name: call.name,
      arguments: JSON.stringify(call.arguments),
    })),
    ...results.map(({ call, text }): ResponseInputItem => ({
      type: 'function_call_output',
      call_id: call.id,
      output: text,
    })),
  ];
  return {
    model,
    input,
    ...(asked.system !== undefined && { instructions: asked.system }),
    ...(asked.tools && {
      tools: asked.tools.map(({ name, description, parameters }) => ({
        type: 'function',
        name,
        description,
        parameters: { ...parameters },
        strict: false,
      })),
    }),
    ...(schema && {
      text: { format: { type: 'json_schema', name: 'answer', schema: { ...schema }, strict: true } },
    }),
    ...(asked.maxTokens !== undefined && { max_output_tokens: asked.maxTokens }),
    ...(asked.logprobs === true && { include: ['message.output_text.logprobs'], top_logprobs: 2 }),
    ...(asked.think === true && { reasoning: { effort: 'low', summary: 'auto' } }),
  };
}

function hear(response: Response): Heard {
  const { model, output, status, usage } = response;
  const parts = output.flatMap((item) => (item.type === 'message' ? item.content : []));
  return {
    model,
    texts: [response.output_text],
    thought: output
      .flatMap((item): readonly { text: string }[] => {
        if (item.type !== 'reasoning') return [];
        return item.content === undefined || item.content.length === 0 ? item.summary : item.content;
      })
      .map(({ text }) => text)
      .join(''),
    calls: output.flatMap((item): Call[] =>
      item.type === 'function_call'
        ? [{ id: item.call_id, name: item.name, arguments: JSON.parse(item.arguments) as Fields }]
        : [],
    ),
    end: status,
    usage: usage && {
      input: usage.input_tokens,
      output: usage.output_tokens,
      cached: usage.input_tokens_details.cached_tokens,
    },
    logprobs: parts
      .flatMap((part) => (part.type === 'output_text' ? (part.logprobs ?? []) : []))
      .map(logprobText),
  };
}
