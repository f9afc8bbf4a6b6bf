/** Tells from an engine's error whether the request could be changed so that the engine takes it. Knows words, no API. */
import type { EngineError } from '../ir/answer.ts';

/** What the engine cannot take: so much, tools, or images. */
export type Complaint = 'context' | 'tools' | 'images';

/** As engines say it. */
const wordings: readonly { readonly complaint: Complaint; readonly words: RegExp }[] = [
  // Ollama: `registry.ollama.ai/library/gemma3:4b does not support tools`
  { complaint: 'tools', words: /does not support (?:tools|tool (?:use|calls|calling)|function calling)/i },
  // vLLM, started without a parser for calls
  { complaint: 'tools', words: /requires --(?:enable-auto-tool-choice|tool-call-parser)/ },
  // llama.cpp, started without templates
  { complaint: 'tools', words: /tools param requires --jinja/ },
  // OpenRouter
  { complaint: 'tools', words: /No endpoints found that support tool use/ },
  // llama.cpp, now and in the spring of 2025
  { complaint: 'images', words: /image input is not supported/ },
  { complaint: 'images', words: /Unsupported content part type: "image_url"/ },
  // vLLM
  { complaint: 'images', words: /is not a multimodal model|At most 0 image\(s\) may be provided/ },
  // LM Studio, Ollama
  { complaint: 'images', words: /does not support (?:images|image input|vision)/i },
  // Ollama
  { complaint: 'images', words: /missing data required for image input/ },
  // OpenRouter
  { complaint: 'images', words: /No endpoints found that support image input/ },
  // OpenAI
  { complaint: 'images', words: /image_url is only supported by certain models/ },
];

/** Longest part of a message that is looked at. */
const lengthMax = 2000;

/** undefined = it is about something else. */
export function complaintOf({ message, overflow }: EngineError): Complaint | undefined {
  if (overflow !== undefined) return 'context';
  const text = message.slice(0, lengthMax);
  return wordings.find(({ words }) => words.test(text))?.complaint;
}
