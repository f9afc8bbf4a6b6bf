/**
 * Finds thoughts that an engine left in the text of an answer (`<think>…</think>` and the like at its beginning) and makes
 * reasoning events of them. Tags may be torn anywhere. Holds back no more than could be a tag or the blanks around one; an
 * answer without tags passes event by event as it came.
 */
import type { AnswerEvent, OnAnswerEvent, TokenLogprob } from './ir/answer.ts';
import type { OnRepair } from './repairs.ts';

/** How models mark their thoughts: what opens them, what closes them. */
interface Tag {
  readonly open: string;
  readonly close: string;
}

const tags: readonly Tag[] = [
  // Qwen, DeepSeek, GLM, MiniMax and most others
  { open: '<think>', close: '</think>' },
  { open: '<thinking>', close: '</thinking>' },
  // EXAONE Deep
  { open: '<thought>', close: '</thought>' },
  // Magistral
  { open: '[THINK]', close: '[/THINK]' },
  // Seed-OSS
  { open: '<seed:think>', close: '</seed:think>' },
  // Kimi
  { open: '◁think▷', close: '◁/think▷' },
  // Command A
  { open: '<|START_THINKING|>', close: '<|END_THINKING|>' },
  // Gemma 4
  { open: '<|channel>thought', close: '<channel|>' },
  // gpt-oss
  { open: '<|channel|>analysis<|message|>', close: '<|end|>' },
];

/** gpt-oss opens its answer, too. */
const answerOpening = '<|start|>assistant<|channel|>final<|message|>';

/** Blanks that are held back before they are taken for text. */
const blanksMax = 256;

export interface ThinkSplitterOptions {
  readonly onRepair?: OnRepair;
  /** The template has opened the thought already, so the answer begins inside of it (DeepSeek R1, QwQ). */
  readonly beginsInThought?: boolean;
}

type TextEvent = Extract<AnswerEvent, { kind: 'text' }>;

/** What comes out gets every event of what goes in, with thoughts apart from text. */
export function createThinkSplitter(
  onEvent: OnAnswerEvent,
  options: ThinkSplitterOptions = {},
): OnAnswerEvent {
  const choices = new Map<number, ChoiceSplitter>();
  let hasReported = false;
  const onThought = (): void => {
    if (!hasReported) options.onRepair?.('reasoningInText');
    hasReported = true;
  };
  return (event) => {
    if (!('choice' in event)) {
      if (event.kind === 'ended' || event.kind === 'failed')
        for (const choice of choices.values()) choice.end();
      onEvent(event);
      return;
    }
    let choice = choices.get(event.choice);
    if (choice === undefined) {
      const tag = options.beginsInThought === true ? tags[0] : undefined;
      choice = new ChoiceSplitter({ choice: event.choice, onEvent, onThought, tag });
      choices.set(event.choice, choice);
    }
    if (event.kind === 'text') choice.text(event);
    else {
      choice.other(event);
      onEvent(event);
    }
  };
}

type State =
  /** An opening tag may come or have begun. */
  | 'beginning'
  | 'thought'
  /** The thought is over, its answer has not begun. */
  | 'between'
  | 'text';

class ChoiceSplitter {
  readonly #choice: number;
  readonly #onEvent: OnAnswerEvent;
  readonly #onThought: () => void;
  #state: State = 'beginning';
  #tag: Tag | undefined;
  /** At the beginning: what came, to be handed on unchanged where it is no thought. */
  #events: TextEvent[] = [];
  #held = '';
  #hasThought = false;

  constructor({
    choice,
    onEvent,
    onThought,
    tag,
  }: {
    readonly choice: number;
    readonly onEvent: OnAnswerEvent;
    readonly onThought: () => void;
    readonly tag: Tag | undefined;
  }) {
    this.#choice = choice;
    this.#onEvent = onEvent;
    this.#onThought = onThought;
    this.#tag = tag;
    if (tag !== undefined) this.#state = 'thought';
  }

  text(event: TextEvent): void {
    switch (this.#state) {
      case 'text':
        this.#onEvent(event);
        return;
      case 'beginning':
        this.#events.push(event);
        this.#held += event.text;
        this.#begin();
        return;
      case 'thought':
        this.#held += event.text;
        this.#think(event.logprobs);
        return;
      case 'between':
        this.#held += event.text;
        this.#answer(event.logprobs);
    }
  }

  /** Something else of the choice comes: what is held back belongs before it. */
  other({ kind }: AnswerEvent): void {
    // An engine that tells thoughts apart leaves none in the text.
    if (kind === 'reasoning' && this.#state === 'beginning' && this.#events.length === 0) {
      this.#state = 'text';
    } else if (kind !== 'reasoning' && kind !== 'reasoningProof') this.end();
  }

  end(): void {
    if (this.#state === 'beginning') this.#giveUp();
    else if (this.#state === 'thought') this.#emitThought(this.#held);
    else if (this.#state === 'between') this.#emitText(this.#held.trimStart(), undefined);
    this.#held = '';
    this.#state = 'text';
  }

  #begin(): void {
    const text = this.#held.trimStart();
    const tag = tags.find(({ open }) => text.startsWith(open));
    if (tag !== undefined) {
      const logprobs = this.#events.at(-1)?.logprobs;
      this.#events = [];
      this.#tag = tag;
      this.#state = 'thought';
      this.#held = text.slice(tag.open.length);
      this.#onThought();
      this.#think(logprobs);
      return;
    }
    const mayCome =
      tags.some(({ open }) => open.startsWith(text)) && this.#held.length - text.length <= blanksMax;
    if (!mayCome) this.#giveUp();
  }

  /** No thought: everything as it came. */
  #giveUp(): void {
    this.#state = 'text';
    for (const event of this.#events) this.#onEvent(event);
    this.#events = [];
    this.#held = '';
  }

  #think(logprobs: readonly TokenLogprob[] | undefined): void {
    const close = this.#tag?.close ?? '';
    const end = this.#held.indexOf(close);
    if (end !== -1) {
      this.#emitThought(this.#held.slice(0, end).trimEnd());
      this.#onThought();
      this.#held = this.#held.slice(end + close.length);
      this.#state = 'between';
      this.#answer(logprobs);
      return;
    }
    const safe = this.#held.length - tailLength(this.#held, close);
    this.#emitThought(this.#held.slice(0, safe));
    this.#held = this.#held.slice(safe);
  }

  #answer(logprobs: readonly TokenLogprob[] | undefined): void {
    let text = this.#held.trimStart();
    if (text.length < answerOpening.length && answerOpening.startsWith(text)) {
      this.#held = text;
      return;
    }
    if (text.startsWith(answerOpening)) text = text.slice(answerOpening.length);
    this.#held = '';
    this.#state = 'text';
    this.#emitText(text, logprobs);
  }

  /** Blanks at the beginning of a thought belong to its tag. */
  #emitThought(text: string): void {
    const thought = this.#hasThought ? text : text.trimStart();
    if (thought === '') return;
    this.#hasThought = true;
    this.#onEvent({ kind: 'reasoning', choice: this.#choice, text: thought });
  }

  #emitText(text: string, logprobs: readonly TokenLogprob[] | undefined): void {
    if (text === '') return;
    this.#onEvent({ kind: 'text', choice: this.#choice, text, ...(logprobs !== undefined && { logprobs }) });
  }
}

/** Characters at the end of the text that may be blanks before the tag, or its beginning. */
function tailLength(text: string, tag: string): number {
  let begun = Math.min(tag.length - 1, text.length);
  while (begun > 0 && !text.endsWith(tag.slice(0, begun))) begun -= 1;
  const words = text.slice(0, text.length - begun);
  const blanks = words.length - words.trimEnd().length;
  return begun + Math.min(blanks, blanksMax);
}
