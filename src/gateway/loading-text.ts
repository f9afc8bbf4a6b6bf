/**
 * Tells a waiting client that its model is being loaded: as reasoning text where a chat stream has a field for it, as
 * comments of the stream where every field would claim that the model said it. Only for models with `sendLoadingState`.
 */
import type { Clock } from '../base/clock.ts';
import type { EarlyStream } from './early-stream.ts';
import type { Route } from './routes.ts';

const tickMs = 750;
/** Nobody sees comments but people who debug. */
const commentEveryTicks = 7;

export interface LoadingTextOptions {
  readonly early: EarlyStream;
  readonly route: Route;
  readonly requestId: string;
  /** As the client calls it. */
  readonly model: string;
  /** Place in the queue, 1 = next; undefined = unknown. */
  readonly position: () => number | undefined;
  readonly clock: Clock;
}

/** Begins at once; goes on until `done` or `stop`. */
export class LoadingText {
  readonly #options: LoadingTextOptions;
  readonly #isChat: boolean;
  readonly #startedMs: number;
  readonly #createdEpochS: number;
  readonly #timer: NodeJS.Timeout;
  #ticks = 0;
  #position: number | undefined;
  #stopped = false;

  constructor(options: LoadingTextOptions) {
    const { clock, route, model } = options;
    this.#options = options;
    this.#isChat = route.name === 'chat-completions';
    this.#startedMs = clock.nowMs();
    this.#createdEpochS = Math.floor(clock.epochMs() / 1000);
    this.#position = options.position();
    const place = (this.#position ?? 1) === 1 ? '' : `, queue position ${this.#position}`;
    this.#say(`Loading model ${model}${place} `, `loading model ${model}${place}`);
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  /** The model is there. */
  done(): void {
    if (this.#stopped) return;
    const seconds = ((this.#options.clock.nowMs() - this.#startedMs) / 1000).toFixed(2);
    this.#say(`\nDone (${seconds} s)\n\n`, `loaded model ${this.#options.model} in ${seconds} s`);
    this.stop();
  }

  /** Says no more. Idempotent. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  #tick(): void {
    this.#ticks += 1;
    const position = this.#options.position();
    if (position !== this.#position && position !== undefined) {
      this.#say(`\nQueue position: ${position} `, `queue position ${position}`);
    } else {
      const seconds = Math.round((this.#options.clock.nowMs() - this.#startedMs) / 1000);
      const comment =
        this.#ticks % commentEveryTicks === 0
          ? `still loading model ${this.#options.model}, ${seconds} s`
          : undefined;
      this.#say('.', comment);
    }
    this.#position = position;
  }

  #say(text: string, comment: string | undefined): void {
    const { early } = this.#options;
    if (this.#isChat) early.write(`data: ${JSON.stringify(this.#chunk(text))}\n\n`);
    else if (comment === undefined) return;
    // Its lines have no place for comments.
    else if (this.#options.route.dialect === 'ollama') early.write(' ');
    else early.write(`: ${comment.replaceAll(/\p{Cc}/gu, ' ')}\n\n`);
  }

  #chunk(text: string): object {
    const { requestId, model } = this.#options;
    const choice = { index: 0, delta: { reasoning_content: text }, finish_reason: null };
    return {
      id: `chatcmpl-${requestId}`,
      object: 'chat.completion.chunk',
      created: this.#createdEpochS,
      model,
      choices: [choice],
    };
  }
}
