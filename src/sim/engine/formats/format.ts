/** What the five answer formats have in common: the state of a generation that they write down, and the numbers in it. */
import type { Piece } from '../answer.ts';
import type { GenerationRequest } from '../generation-request.ts';
import type { SlotRun } from '../slot-job.ts';

export type Finish = 'stop' | 'length' | 'tool_calls';

/** One of the answers to a request (`n`, or several prompts). Owned by the generation, read by formats. */
export interface Choice {
  readonly index: number;
  readonly prompt: string;
  readonly promptTokens: number;
  readonly tool: { readonly id: string; readonly name: string } | undefined;
  /** Undefined until a slot took it. */
  run: SlotRun | undefined;
  reasoning: string;
  text: string;
  arguments: string;
  /** Undefined while it generates. */
  finish: Finish | undefined;
  stoppedBy: string;
}

export interface AnswerContext {
  readonly id: string;
  readonly model: string;
  readonly createdS: number;
  readonly contextTokens: number;
  readonly request: GenerationRequest;
  readonly choices: readonly [Choice, ...Choice[]];
  /** 32 letters and digits. */
  newId(): string;
  epochS(): number;
}

/** Texts are ready to write; an empty one is not written. */
export interface AnswerFormat {
  /** `return_progress` reports; undefined = this format has none. */
  progress?(choice: Choice): string;
  /** Before the first piece of a choice, in the same write. */
  begin(choice: Choice): string;
  piece(choice: Choice, piece: Piece): string;
  /** A choice has ended. */
  end(choice: Choice): string;
  /** All have. */
  close(): string;
  /** The answer as one JSON value. */
  whole(): unknown;
}

export function frame(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

/** A frame with an `event:` line, named as its `type`. */
export function namedFrame(value: { readonly type: string; readonly [key: string]: unknown }): string {
  return `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;
}

export function timings(run: SlotRun | undefined): Record<string, number> {
  const { cacheN = 0, promptN = 0, promptMs = 0, predictedN = 0, predictedMs = 0 } = run ?? {};
  return {
    cache_n: cacheN,
    prompt_n: promptN,
    prompt_ms: promptMs,
    prompt_per_token_ms: ratio(promptMs, promptN),
    prompt_per_second: ratio(promptN * 1000, promptMs),
    predicted_n: predictedN,
    predicted_ms: predictedMs,
    // The clock starts at the first token, so there is one interval less than there are tokens.
    predicted_per_token_ms: ratio(predictedMs, predictedN - 1),
    predicted_per_second: ratio((predictedN - 1) * 1000, predictedMs),
  };
}

export function usage(choice: Choice): Record<string, unknown> {
  const completion = choice.run?.predictedN ?? 0;
  return {
    completion_tokens: completion,
    prompt_tokens: choice.promptTokens,
    total_tokens: choice.promptTokens + completion,
    prompt_tokens_details: { cached_tokens: choice.run?.cacheN ?? 0 },
  };
}

function ratio(above: number, below: number): number {
  return below <= 0 ? 0 : above / below;
}
