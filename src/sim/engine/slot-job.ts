/** What the slot pool and its users tell each other: jobs going in, numbers coming out. */

/** Numbers of one request in one slot, kept up to date by the pool while it runs. */
export interface SlotRun {
  readonly slot: number;
  readonly task: number;
  readonly cacheN: number;
  readonly promptN: number;
  promptMs: number;
  /** Prompt tokens done so far, cached ones included. */
  promptDone: number;
  predictedN: number;
  predictedMs: number;
}

/** A request as the pool sees it. Its callbacks are never called from inside `enqueue`. */
export interface SlotJob {
  readonly prompt: string;
  readonly promptTokens: number;
  readonly usesCache: boolean;
  /** Slot that it insists on; undefined = any. */
  readonly slotWanted: number | undefined;
  /** Shown by `/slots`. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly tokensMax: number;
  started(run: SlotRun): void;
  /** After every batch of the prompt. False = give up. */
  promptProgressed(run: SlotRun): boolean;
  /** Once per token, the first at the end of the prompt. False = that was the last one, or nobody listens any more. */
  tokenDue(run: SlotRun): boolean;
  /** What the slot has cached after the prompt. */
  generatedText(): string;
  /** The pool was closed under it; called at any time, even before `started`. */
  abandoned(): void;
}

export interface SlotReading {
  readonly id: number;
  readonly busy: boolean;
  readonly cachedTokens: number;
  readonly run: SlotRun | undefined;
  readonly params: Readonly<Record<string, unknown>> | undefined;
  readonly tokensMax: number;
}

export interface PoolCounters {
  promptTokens: number;
  cachedTokens: number;
  promptMs: number;
  predictedTokens: number;
  predictedMs: number;
  requests: number;
  tokensMax: number;
}
