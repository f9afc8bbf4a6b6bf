/** Text completions by the official `openai` client. */
import type { Completion, CompletionCreateParamsNonStreaming } from 'openai/resources/completions';
import type { Caller, Heard } from './caller.ts';
import { clientOf, readOpenAIError } from './openai-chat.ts';

export const openaiCompletions: Caller = {
  title: 'openai completions',
  route: 'completions',
  features: new Set(['stop', 'choices', 'logprobs']),
  ends: { stop: 'stop', length: 'length', tools: '' },
  hearsCached: true,
  asksForUsage: true,
  namesEffort: false,
  async ask(asking) {
    const { asked, model, signal } = asking;
    const body: CompletionCreateParamsNonStreaming = {
      model,
      prompt: asked.text,
      ...(asked.stop !== undefined && { stop: [asked.stop] }),
      ...(asked.maxTokens !== undefined && { max_tokens: asked.maxTokens }),
      ...(asked.choices !== undefined && { n: asked.choices }),
      ...(asked.logprobs === true && { logprobs: 2 }),
    };
    const { completions } = clientOf(asking);
    if (!asking.stream) return hear([await completions.create(body, { signal })]);
    const options = asked.usage === true ? { stream_options: { include_usage: true } } : {};
    const chunks: Completion[] = [];
    for await (const chunk of await completions.create({ ...body, ...options, stream: true }, { signal })) {
      chunks.push(chunk);
      asking.onText(chunk.choices[0]?.text ?? '');
    }
    // A stream that was left ends without a word.
    signal.throwIfAborted();
    return hear(chunks);
  },
  read: readOpenAIError,
};

function hear(chunks: readonly Completion[]): Heard {
  const pieces = chunks.flatMap(({ choices }) => choices);
  const count = Math.max(0, ...pieces.map(({ index }) => index + 1));
  const first = pieces.filter(({ index }) => index === 0);
  const usage = chunks.findLast((chunk) => chunk.usage)?.usage;
  return {
    model: chunks[0]?.model,
    texts: Array.from({ length: count }, (_, at) =>
      pieces
        .filter(({ index }) => index === at)
        .map(({ text }) => text)
        .join(''),
    ),
    thought: '',
    calls: [],
    end: first.findLast(({ finish_reason: reason }) => reason)?.finish_reason,
    usage: usage && {
      input: usage.prompt_tokens,
      output: usage.completion_tokens,
      cached: usage.prompt_tokens_details?.cached_tokens ?? 0,
    },
    logprobs: first.flatMap(({ logprobs }) =>
      (logprobs?.tokens ?? []).map(
        (token, at) =>
          `${token}:${logprobs?.token_logprobs?.[at]}:${Object.keys(logprobs?.top_logprobs?.[at] ?? {}).length}`,
      ),
    ),
  };
}
