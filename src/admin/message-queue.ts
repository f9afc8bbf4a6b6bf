/** Messages for one reader, in order and bounded: whoever writes is told when there is no room, and never waits unless it wants to. */

export class MessageQueue {
  readonly #max: number;
  #messages: string[] = [];
  #closed = false;
  #changed = Promise.withResolvers<void>();

  /** `max`: messages that may wait. */
  constructor(max: number) {
    this.#max = max;
  }

  /** False: there is no room, the message is lost. */
  push(message: string): boolean {
    if (this.#closed || this.#messages.length >= this.#max) return false;
    this.#messages.push(message);
    this.#tell();
    return true;
  }

  /** Waits until half of the queue is free, for writers that would rather be late. Resolves also when it is closed. */
  async room(): Promise<void> {
    while (!this.#closed && this.#messages.length * 2 > this.#max) await this.#changed.promise;
  }

  /** All that waits, as one text; waits for the first. undefined: closed. */
  async take(): Promise<string | undefined> {
    while (!this.#closed && this.#messages.length === 0) await this.#changed.promise;
    if (this.#closed) return undefined;
    const text = this.#messages.join('');
    this.#messages = [];
    this.#tell();
    return text;
  }

  close(): void {
    this.#closed = true;
    this.#messages = [];
    this.#tell();
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
