/** Folds the events of an answer into the whole of it, for clients that did not ask for a stream. */
import type { AnswerEvent, EngineError, FinishReason, Timings, TokenLogprob, Usage } from './answer.ts';
import type { ReasoningPart, RefusalPart, TextPart, ToolCallPart } from './parts.ts';

export type AnswerPart = TextPart | ReasoningPart | RefusalPart | ToolCallPart;

export interface AnswerChoice {
  readonly index: number;
  /** In the order in which they began; neighbouring pieces of the same kind are one part. */
  readonly parts: readonly AnswerPart[];
  readonly reason: FinishReason;
  readonly logprobs: readonly TokenLogprob[] | undefined;
}

export interface WholeAnswer {
  readonly id: string | undefined;
  readonly model: string | undefined;
  readonly createdS: number | undefined;
  readonly fingerprint: string | undefined;
  readonly choices: readonly AnswerChoice[];
  readonly usage: Usage | undefined;
  readonly timings: Timings | undefined;
  /** Events without a meaning here, in order. */
  readonly opaque: readonly Extract<AnswerEvent, { kind: 'opaque' }>[];
}

type Draft<Value> = { -readonly [Key in keyof Value]: Value[Key] };

interface ChoiceDraft {
  readonly index: number;
  readonly parts: Draft<AnswerPart>[];
  readonly calls: Map<number, Draft<ToolCallPart>>;
  logprobs: TokenLogprob[] | undefined;
  reason: FinishReason;
}

/** Takes events; `finish` once after the last of them. */
export class AnswerFold {
  readonly #choices = new Map<number, ChoiceDraft>();
  readonly #opaque: Extract<AnswerEvent, { kind: 'opaque' }>[] = [];
  #started: Extract<AnswerEvent, { kind: 'started' }> | undefined;
  #usage: Usage | undefined;
  #timings: Timings | undefined;
  #error: EngineError | undefined;
  #isWhole = false;

  add(event: AnswerEvent): void {
    if ('choice' in event) {
      addToChoice(this.#choice(event.choice), event);
      return;
    }
    switch (event.kind) {
      case 'started':
        this.#started = event;
        this.#usage ??= event.usage;
        return;
      case 'usage':
        this.#usage = event.usage;
        return;
      case 'timings':
        this.#timings = event.timings;
        return;
      case 'opaque':
        this.#opaque.push(event);
        return;
      case 'progress':
        return;
      case 'ended':
        this.#isWhole = true;
        return;
      case 'failed':
        this.#error ??= event.error;
    }
  }

  /** The answer, or the error that stands in its place: also for a sequence without its last event. */
  finish(): WholeAnswer | EngineError {
    if (this.#error !== undefined) return this.#error;
    if (!this.#isWhole) return { message: 'The answer of the engine ended before its end' };
    return {
      id: this.#started?.id,
      model: this.#started?.model,
      createdS: this.#started?.createdS,
      fingerprint: this.#started?.fingerprint,
      choices: [...this.#choices.values()]
        .toSorted((one, other) => one.index - other.index)
        .map(({ index, parts, reason, logprobs }) => ({ index, parts, reason, logprobs })),
      usage: this.#usage,
      timings: this.#timings,
      opaque: this.#opaque,
    };
  }

  #choice(index: number): ChoiceDraft {
    const known = this.#choices.get(index);
    if (known !== undefined) return known;
    const draft: ChoiceDraft = {
      index,
      parts: [],
      calls: new Map(),
      logprobs: undefined,
      reason: { kind: 'stop' },
    };
    this.#choices.set(index, draft);
    return draft;
  }
}

/** True for what `AnswerFold.finish` gives in place of an answer. */
export function isEngineError(answer: WholeAnswer | EngineError): answer is EngineError {
  return 'message' in answer;
}

type ChoiceEvent = Extract<AnswerEvent, { choice: number }>;

function addToChoice(choice: ChoiceDraft, event: ChoiceEvent): void {
  const last = choice.parts.at(-1);
  switch (event.kind) {
    case 'text':
    case 'refusal':
      if (event.kind === 'text' && event.logprobs !== undefined) {
        choice.logprobs = [...(choice.logprobs ?? []), ...event.logprobs];
      }
      if (last?.kind === event.kind) last.text += event.text;
      else if (event.text !== '') choice.parts.push({ kind: event.kind, text: event.text });
      return;
    case 'reasoning':
      // After its proof a thought is complete: what follows is another one.
      if (last?.kind === 'reasoning' && last.signature === undefined && last.encrypted === undefined) {
        last.text += event.text;
      } else choice.parts.push({ kind: 'reasoning', text: event.text });
      return;
    case 'reasoningProof':
      addProof(choice, event);
      return;
    case 'toolCall': {
      const { id, name, custom } = event;
      const call: Draft<ToolCallPart> = { kind: 'toolCall', id, name, arguments: '' };
      if (custom !== undefined) call.custom = custom;
      choice.calls.set(event.call, call);
      choice.parts.push(call);
      return;
    }
    case 'toolArguments': {
      const call = choice.calls.get(event.call);
      if (call !== undefined) call.arguments += event.text;
      return;
    }
    case 'finished':
      choice.reason = event.reason;
  }
}

function addProof(
  choice: ChoiceDraft,
  { signature, encrypted }: Extract<AnswerEvent, { kind: 'reasoningProof' }>,
): void {
  const proof = {
    ...(signature !== undefined && { signature }),
    ...(encrypted !== undefined && { encrypted }),
  };
  const last = choice.parts.at(-1);
  if (last?.kind === 'reasoning' && last.signature === undefined && last.encrypted === undefined) {
    Object.assign(last, proof);
  } else choice.parts.push({ kind: 'reasoning', text: '', ...proof });
}
