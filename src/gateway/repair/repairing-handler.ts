/**
 * Stands between an engine's answer and whoever takes it: an error that a repair may help against is not handed on, but
 * leads to another attempt. Everything else passes, an error whose repair did not help included.
 */
import type { Dialect } from '../../dialects/dialect.ts';
import type { EngineError } from '../../dialects/ir/answer.ts';
import type { UpstreamFailure, UpstreamHandler } from '../upstream.ts';
import { HeldAnswer } from './held-answer.ts';

export interface RepairingHandlerOptions {
  /** The engine's. */
  readonly dialect: Dialect;
  readonly handler: UpstreamHandler;
  /** True: the request was changed and `onRepaired` may follow. */
  readonly tryRepair: (error: EngineError) => boolean;
  /** The changed request is to be sent; this answer is of no more interest. */
  readonly onRepaired: () => void;
}

export class RepairingHandler implements UpstreamHandler {
  readonly #options: RepairingHandlerOptions;
  #held: HeldAnswer | undefined;
  #isOver = false;

  constructor(options: RepairingHandlerOptions) {
    this.#options = options;
  }

  onSent(): void {
    this.#options.handler.onSent?.();
  }

  onHead(status: number, headers: readonly string[]): void {
    const { dialect, handler } = this.#options;
    if (HeldAnswer.isDue(status, headers, dialect)) this.#held = new HeldAnswer(status, headers, dialect);
    else handler.onHead(status, headers);
  }

  onData(chunk: Buffer, isLast: boolean): void {
    if (this.#isOver) return;
    if (this.#held === undefined) {
      this.#options.handler.onData(chunk, isLast);
      return;
    }
    const verdict = this.#held.push(chunk, isLast);
    if (verdict === 'pending') return;
    if (verdict === 'open' || !this.#options.tryRepair(verdict)) this.#release();
    else this.#repaired();
  }

  onEnd(): void {
    if (this.#isOver) return;
    const verdict = this.#held?.end() ?? 'open';
    if (verdict !== 'open' && this.#options.tryRepair(verdict)) {
      this.#repaired();
      return;
    }
    this.#release();
    this.#options.handler.onEnd();
  }

  onError(failure: UpstreamFailure): void {
    if (this.#isOver) return;
    this.#release();
    this.#options.handler.onError(failure);
  }

  #release(): void {
    const held = this.#held;
    this.#held = undefined;
    held?.release(this.#options.handler);
  }

  #repaired(): void {
    this.#isOver = true;
    this.#options.onRepaired();
  }
}
