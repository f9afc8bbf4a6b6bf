/** `llamero top` as it runs: reads the router again and again, follows its logs, obeys keys, and draws what has changed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LongRunningIo, Signal, TerminalIo } from '../io.ts';
import { readKeys, type Key } from './keys.ts';
import { createLineJoiner } from './log-lines.ts';
import { ansiPaint, plainPaint, type Paint } from './paint.ts';
import { renderTop } from './render-top.ts';
import type { Reading } from './router-answers.ts';
import { RouterFault } from '../router/router-request.ts';
import type { Action, LogSource, RouterClient } from './router-client.ts';
import { openScreen, type Screen } from './screen.ts';
import { handleKey, initialState, withLogLines, withoutLog, type TopState } from './top-state.ts';

export interface LiveViewOptions {
  readonly client: RouterClient;
  /** Where the router is, for the header. */
  readonly address: string;
  readonly first: Reading;
  /** Between two readings. */
  readonly intervalMs: number;
  readonly io: Pick<LongRunningIo, 'onSignal' | 'env'>;
  readonly terminal: TerminalIo;
}

const endingSignals: readonly Signal[] = ['SIGTERM', 'SIGINT', 'SIGHUP'];
const logSources: readonly LogSource[] = ['proxy', 'upstream'];
/** Drawing more often helps nobody; a busy log would. */
const frameMs = 50;

/** Resolves when the user or a signal ends it; by then the terminal is as it was. */
export async function runLiveView(options: LiveViewOptions): Promise<void> {
  const view = new LiveView(options);
  const offs = endingSignals.map((signal) => options.io.onSignal(signal, () => view.end()));
  try {
    await view.run();
  } finally {
    for (const off of offs) off();
  }
}

class LiveView {
  readonly #options: LiveViewOptions;
  readonly #ending = new AbortController();
  readonly #paint: Paint;
  #state: TopState;
  #screen: Screen | undefined;
  #frameTimer: NodeJS.Timeout | undefined;
  /** Ends the pause before the next reading. */
  #hurry = new AbortController();

  constructor(options: LiveViewOptions) {
    this.#options = options;
    this.#state = initialState(options.address, options.first);
    const { NO_COLOR: noColor, TERM: term } = options.io.env;
    this.#paint = (noColor ?? '') === '' && term !== 'dumb' ? ansiPaint : plainPaint;
  }

  async run(): Promise<void> {
    const end = () => this.end();
    this.#screen = openScreen(this.#options.terminal, {
      onKeys: (text) => this.#press(readKeys(text)),
      onResize: () => this.#draw(),
      onGone: end,
    });
    try {
      this.#draw();
      await Promise.all([this.#poll(), ...logSources.map((source) => this.#followLog(source))]);
    } finally {
      this.#ending.abort();
      clearTimeout(this.#frameTimer);
      this.#screen.close();
    }
  }

  end(): void {
    this.#ending.abort();
  }

  async #poll(): Promise<void> {
    const { client, intervalMs } = this.#options;
    while (!this.#ending.signal.aborted) {
      await this.#pause(intervalMs);
      try {
        const reading = await client.read(this.#ending.signal);
        this.#change({ ...this.#state, reading, fault: undefined });
      } catch (error) {
        this.#change({ ...this.#state, fault: this.#faultOf(error) });
      }
    }
  }

  /** Begins anew when the stream ends. It then brings its history again, in place of what was shown of it. */
  async #followLog(source: LogSource): Promise<void> {
    const { client, intervalMs } = this.#options;
    while (!this.#ending.signal.aborted) {
      const join = createLineJoiner(source);
      let isFirst = true;
      const onText = (text: string): void => {
        const before = isFirst ? withoutLog(this.#state, source) : this.#state;
        isFirst = false;
        this.#change(withLogLines(before, join(text)));
      };
      try {
        await client.followLog(source, onText, this.#ending.signal);
      } catch (error) {
        // What the readings say of the same router is shown.
        this.#faultOf(error);
      }
      await this.#pause(intervalMs);
    }
  }

  async #pause(ms: number): Promise<void> {
    const signal = AbortSignal.any([this.#ending.signal, this.#hurry.signal]);
    await sleep(ms, undefined, { signal }).catch(() => {});
  }

  #press(keys: readonly Key[]): void {
    for (const key of keys) {
      const { state, effect } = handleKey(this.#state, key);
      this.#change(state);
      if (effect?.type === 'quit') this.end();
      if (effect?.type === 'act') void this.#act(effect.action);
    }
  }

  async #act(action: Action): Promise<void> {
    const said = `${action.verb} ${action.id}`;
    try {
      await this.#options.client.act(action, this.#ending.signal);
      this.#change({ ...this.#state, notice: `${said}: ok` });
    } catch (error) {
      this.#change({ ...this.#state, notice: `${said}: ${this.#faultOf(error) ?? 'given up'}` });
    }
    this.#hurry.abort();
    this.#hurry = new AbortController();
  }

  /** Rethrows what is a fault of this program; undefined when it is only the end. */
  #faultOf(error: unknown): string | undefined {
    if (this.#ending.signal.aborted) return undefined;
    if (error instanceof RouterFault) return error.message;
    throw error;
  }

  #change(state: TopState): void {
    this.#state = state;
    this.#frameTimer ??= setTimeout(() => this.#draw(), frameMs);
  }

  #draw(): void {
    clearTimeout(this.#frameTimer);
    this.#frameTimer = undefined;
    if (this.#screen === undefined || this.#ending.signal.aborted) return;
    const view = { ...this.#screen.size(), isInteractive: true, paint: this.#paint };
    this.#screen.draw(renderTop(this.#state, view));
  }
}
