/** What each member of an ensemble is asked, made from what the client asked. Pure. */
import type { Message, TextPart } from '../../dialects/ir/parts.ts';
import type { ChatRequest, ModelRequest, Sampling } from '../../dialects/ir/request.ts';
import type { WholeAnswer } from '../../dialects/ir/whole-answer.ts';
import type { ModelName } from '../../domain/ids.ts';

/** The request as a conversation; undefined = it is a text that only makes sense as one. A plain completion is what a user says. */
export function toConversation(request: ModelRequest): ChatRequest | undefined {
  if (request.kind === 'chat') return request;
  const { kind: _, prompt, system, images = [], raw, suffix, echo, ...base } = request;
  const isOllamas = base.dialect === 'ollama-generate';
  if ((raw && isOllamas) || suffix !== undefined || echo === true || typeof prompt !== 'string')
    return undefined;
  const said: Message[] = system === undefined ? [] : [{ role: 'system', parts: [textPart(system)] }];
  if (prompt !== '') said.push({ role: 'user', parts: [textPart(prompt), ...images] });
  // Members of the older route would not be members of the conversation's; options are the same in both.
  const { options } = base.own;
  return {
    kind: 'chat',
    ...base,
    dialect: isOllamas ? 'ollama-chat' : 'openai-chat',
    own: isOllamas && options !== undefined ? { options } : {},
    messages: said,
  };
}

/** The last that a user said; undefined = no user said anything. */
export function lastQuestion({ messages }: ChatRequest): Message | undefined {
  return messages.findLast(({ role }) => role === 'user');
}

export interface AnswerWish {
  readonly model: ModelName;
  readonly temperature: number;
  /** Among the answers. */
  readonly index: number;
}

/** All that was asked, tools included: a call can be the best answer. Only the dice are others. */
export function answerRequest(request: ChatRequest, { model, temperature, index }: AnswerWish): ChatRequest {
  const sampling = ofOneAnswer(request.sampling);
  const { seed } = sampling;
  return {
    ...request,
    model,
    stream: false,
    sampling: { ...sampling, temperature, ...(seed !== undefined && { seed: seed + index }) },
  };
}

export interface CritiqueWish {
  readonly model: ModelName;
  readonly prompt: string;
}

/** One message, with the pictures of the question. How the engine is to run the model stays as the client said it. */
export function critiqueRequest(request: ChatRequest, { model, prompt }: CritiqueWish): ChatRequest {
  const {
    tools: _tools,
    toolChoice: _choice,
    parallelToolCalls: _parallel,
    format: _format,
    ...rest
  } = request;
  const attached = lastQuestion(request)?.parts.filter(({ kind }) => kind !== 'text') ?? [];
  return {
    ...rest,
    model,
    stream: false,
    sampling: ofOneAnswer(request.sampling),
    messages: [{ role: 'user', parts: [textPart(prompt), ...attached] }],
  };
}

export interface FinalWish {
  readonly model: ModelName;
  /** What is put behind the question. */
  readonly note: string;
}

/** The conversation as it was, so that its beginning is still in the engine's cache, and the note where it ends. */
export function finalRequest(request: ChatRequest, { model, note }: FinalWish): ChatRequest {
  const last = request.messages.at(-1);
  const isQuestion = last?.role === 'user';
  const before = isQuestion ? request.messages.slice(0, -1) : request.messages;
  // Many chat templates refuse two messages of a user in a row.
  const parts = isQuestion ? [...last.parts, textPart(`\n\n${note}`)] : [textPart(note)];
  return { ...request, model, messages: [...before, { ...(isQuestion && last), role: 'user', parts }] };
}

export function textOf({ parts }: Message): string {
  return parts
    .filter((part) => part.kind === 'text')
    .map(({ text }) => text)
    .join('\n');
}

/** An answer in words, without thoughts; '' = it says nothing. */
export function wordsOf({ choices: [choice] }: WholeAnswer): string {
  const words = (choice?.parts ?? []).map((part) => {
    if (part.kind === 'text' || part.kind === 'refusal') return part.text;
    return part.kind === 'toolCall' ? `\n[calls the tool ${part.name} with ${part.arguments}]\n` : '';
  });
  return words.join('').trim();
}

/** Whoever reads it has no use for more. */
function ofOneAnswer(sampling: Sampling): Sampling {
  const { choices: _choices, logprobs: _logprobs, topLogprobs: _top, ...rest } = sampling;
  return rest;
}

function textPart(text: string): TextPart {
  return { kind: 'text', text };
}
