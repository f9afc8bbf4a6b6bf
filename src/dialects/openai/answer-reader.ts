/**
 * Reads what chat and text completions have around their choices, whole or in chunks: ids, usage, timings, errors, the end.
 * What is in a choice is the business of its dialect. Never throws.
 */
import type { AnswerEvent, EngineError, FinishReason, OnAnswerEvent } from '../ir/answer.ts';
import { countOf, isObject, objectsOf, textOf } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';
import { onceEach } from '../repairs.ts';
import type { OnRepair } from '../repairs.ts';
import { errorIn } from './errors.ts';
import { readFinishReason } from './finish-reason.ts';
import { readTimings, readUsage, usageOf } from './usage.ts';

/** Reads one choice of an answer. */
export interface ChoiceReader {
  /** An element of `choices`: of a chunk, or of a whole answer. Emits what it holds. */
  read(choice: JsonObject): void;
  /** Emits what is left; the reason may be put right. `reason` undefined = the engine gave none. */
  end(reason: FinishReason | undefined): FinishReason;
}

/** What the reader of a choice says things to. */
export interface ChoiceContext {
  readonly index: number;
  readonly onEvent: OnAnswerEvent;
  readonly onRepair: OnRepair;
  /** Id of the answer, '' where there is none. */
  readonly answerId: () => string;
}

export interface AnswerReaderOptions {
  readonly onEvent: OnAnswerEvent;
  readonly onRepair: OnRepair | undefined;
  readonly createChoice: (context: ChoiceContext) => ChoiceReader;
}

interface Choice {
  readonly reader: ChoiceReader;
  reason: FinishReason | undefined;
}

type Started = Extract<AnswerEvent, { kind: 'started' }>;

export class AnswerReader {
  readonly #onEvent: OnAnswerEvent;
  readonly #onRepair: OnRepair;
  readonly #createChoice: AnswerReaderOptions['createChoice'];
  readonly #choices = new Map<number, Choice>();
  #started: Started | undefined;
  #isOver = false;
  #usage: JsonObject | undefined;
  #timings: JsonObject | undefined;

  constructor({ onEvent, onRepair, createChoice }: AnswerReaderOptions) {
    this.#onEvent = onEvent;
    this.#onRepair = onceEach(onRepair);
    this.#createChoice = createChoice;
  }

  /** Nothing more is read, and nothing more comes of it. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** A chunk, or a whole answer. */
  read(chunk: JsonObject): void {
    if (this.#isOver) return;
    const error = errorIn(chunk);
    if (error !== undefined) {
      this.fail(error);
      return;
    }
    const choices = objectsOf(chunk['choices']);
    const progress = chunk['prompt_progress'];
    // Azure begins with a chunk about the prompt that has neither id nor model.
    if (choices.length > 0 || isObject(progress)) this.#start(chunk);
    if (isObject(progress)) this.#readProgress(progress);
    this.#readCounts(chunk);
    for (const choice of choices) {
      this.#readChoice(choice);
      if (this.#isOver) return;
    }
  }

  /** The engine said that this is all, or the answer came whole. */
  done(): void {
    if (this.#isOver) return;
    if (this.#choices.size === 0) {
      this.fail({ message: 'The answer of the engine has no choices' });
      return;
    }
    this.#isOver = true;
    for (const [choice, { reader, reason }] of [...this.#choices].toSorted(([one], [other]) => one - other)) {
      if (reason === undefined) this.#onRepair('finishReasonMissing');
      this.#onEvent({ kind: 'finished', choice, reason: reader.end(reason) });
    }
    this.#tellCounts();
    this.#onEvent({ kind: 'ended' });
  }

  /** The stream ended without the word for it, which some engines never say. */
  cut(): void {
    if (this.#isOver) return;
    const choices = [...this.#choices.values()];
    if (choices.length === 0 || choices.some(({ reason }) => reason === undefined)) {
      this.fail({ message: 'The stream of the engine broke off' });
      return;
    }
    this.#onRepair('doneMissing');
    this.done();
  }

  fail(error: EngineError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onEvent({ kind: 'failed', error });
  }

  #start(chunk: JsonObject): void {
    if (this.#started !== undefined) return;
    const id = textOf(chunk['id']);
    const model = textOf(chunk['model']);
    const createdS = countOf(chunk['created']);
    const fingerprint = textOf(chunk['system_fingerprint']);
    this.#started = {
      kind: 'started',
      ...(id !== '' && { id }),
      ...(model !== '' && { model }),
      ...(createdS !== undefined && { createdS }),
      ...(fingerprint !== '' && { fingerprint }),
    };
    this.#onEvent(this.#started);
  }

  #readProgress(progress: JsonObject): void {
    const done = countOf(progress['processed']);
    const total = countOf(progress['total']);
    if (done !== undefined && total !== undefined) this.#onEvent({ kind: 'progress', done, total });
  }

  #readCounts(chunk: JsonObject): void {
    if (isObject(chunk['timings'])) this.#timings = chunk['timings'];
    if (isObject(chunk['usage'])) {
      this.#usage = chunk['usage'];
      return;
    }
    // Groq
    const own = chunk['x_groq'];
    if (isObject(own) && isObject(own['usage'])) this.#takeMisplacedUsage(own['usage']);
  }

  #takeMisplacedUsage(usage: JsonObject): void {
    this.#onRepair('usageMisplaced');
    this.#usage = usage;
  }

  #readChoice(part: JsonObject): void {
    const index = countOf(part['index']) ?? 0;
    let choice = this.#choices.get(index);
    if (choice === undefined) {
      const reader = this.#createChoice({
        index,
        onEvent: this.#onEvent,
        onRepair: this.#onRepair,
        answerId: () => this.#started?.id ?? '',
      });
      choice = { reader, reason: undefined };
      this.#choices.set(index, choice);
    }
    // Moonshot
    if (isObject(part['usage'])) this.#takeMisplacedUsage(part['usage']);
    choice.reader.read(part);
    const reason = part['finish_reason'];
    if (typeof reason !== 'string' || reason === '') return;
    if (reason === 'error') this.fail(errorIn(part) ?? { message: 'The engine broke off with an error' });
    // SGLang names the text `matched_stop`, vLLM `stop_reason`; both may be a token's number instead.
    const stopText = part['matched_stop'] ?? part['stop_reason'];
    choice.reason = readFinishReason(reason, typeof stopText === 'string' ? stopText : undefined);
  }

  #tellCounts(): void {
    const timings = this.#timings === undefined ? undefined : readTimings(this.#timings);
    let usage = this.#usage === undefined ? undefined : readUsage(this.#usage);
    if (usage === undefined && timings !== undefined) {
      usage = usageOf(timings);
      if (usage !== undefined) this.#onRepair('usageFromTimings');
    }
    if (usage !== undefined) this.#onEvent({ kind: 'usage', usage });
    if (timings !== undefined) this.#onEvent({ kind: 'timings', timings });
  }
}
