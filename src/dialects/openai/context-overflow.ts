/** Tells from an engine's error whether the prompt is longer than the context, and by how much. Knows words, no API. */
import type { EngineError } from '../ir/answer.ts';
import { countOf, present } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';

interface Wording {
  readonly isIt: RegExp;
  readonly contextTokens?: RegExp;
  readonly promptTokens?: RegExp;
}

/** As the engines' sources have them; numbers in parentheses. */
const wordings: readonly Wording[] = [
  // llama.cpp
  {
    isIt: /exceeds the available context size/,
    contextTokens: /available context size \((\d+) tokens\)/,
    promptTokens: /request \((\d+) tokens\)/,
  },
  { isIt: /Context size has been exceeded/ },
  // OpenAI, vLLM
  {
    isIt: /maximum context length is \d+ tokens/,
    contextTokens: /maximum context length is (\d+) tokens/,
    // `requested` counts the answer, too, and is the only number in some of them.
    promptTokens:
      /(?:resulted in|contains at least|has) (\d+) (?:input )?tokens|\((\d+) in the messages|requested (\d+) tokens(?! \()/,
  },
  // vLLM
  {
    isIt: /is too long to fit into the model|decoder prompt \(length \d+\) is longer than/,
    contextTokens: /(?:context length|maximum model length of) (\d+)/,
    promptTokens: /length (\d+)\)/,
  },
  // SGLang
  {
    isIt: /is longer than the model's context length/,
    contextTokens: /context length \((\d+) tokens\)/,
    promptTokens: /input \((\d+) tokens\)/,
  },
  {
    isIt: /exceeds the model's maximum context length/,
    contextTokens: /maximum context length of (\d+)/,
    promptTokens: /(\d+) tokens from the input/,
  },
  // Ollama
  { isIt: /exceeds (?:the|maximum) context length/ },
  // LM Studio
  {
    isIt: /initial prompt is greater than the context length|when context the overflows|Cannot truncate prompt/,
    contextTokens: /context length of only (\d+) tokens|n_ctx(?:: | \()(\d+)/,
    promptTokens: /keep the first (\d+) tokens|n_keep(?:: | \()(\d+)/,
  },
];

/** Longest part of a message that is looked at. */
const lengthMax = 2000;

/** `error`: the object that the message is from. undefined = the error is about something else. */
export function readOverflow(message: string, error: JsonObject): EngineError['overflow'] {
  const text = message.slice(0, lengthMax);
  const wording = wordings.find(({ isIt }) => isIt.test(text));
  const isNamed =
    error['type'] === 'exceed_context_size_error' || error['code'] === 'context_length_exceeded';
  if (wording === undefined && !isNamed) return undefined;
  return present({
    contextTokens: countOf(error['n_ctx']) ?? numberIn(text, wording?.contextTokens),
    promptTokens: countOf(error['n_prompt_tokens']) ?? numberIn(text, wording?.promptTokens),
  });
}

function numberIn(text: string, pattern: RegExp | undefined): number | undefined {
  const digits = pattern
    ?.exec(text)
    ?.slice(1)
    .find((group) => group !== undefined);
  return digits === undefined ? undefined : countOf(Number(digits));
}
