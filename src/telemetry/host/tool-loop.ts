/**
 * A program that prints on and on, kept running: started again with growing pauses when it ends, and ended when it falls
 * silent. When this program is killed, it ends by SIGPIPE with its next line. Knows nothing of what the lines mean.
 */
import type { ChildProcess } from 'node:child_process';
import { LineReader } from '../../base/line-reader.ts';
import { killTool, problemOf, spawnFault, spawnTool, type ToolAnswer } from './run-tool.ts';

export interface ToolLoopOptions {
  readonly program: string;
  /** Asked before each start. */
  readonly args: () => readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Without a line for so long it hangs, and is ended. */
  readonly silenceMsMax: number;
  /** Called with all whole lines that came at once. */
  readonly onLines: (lines: readonly string[]) => void;
  /** It is not there, or has ended; says when to start it again. Not called after `close`. */
  readonly onEnd: (end: Exclude<ToolAnswer, { type: 'done' }>) => 'now' | 'later' | 'never';
  /** Before the first start after an end; doubles up to 32 times of it. Default 1 s. */
  readonly pauseMs?: number;
}

const pauseMsDefault = 1000;
const pausesMax = 32;
const lineBytesMax = 10_000;
/** Starts at once without a single line between them: more is a program that only ends. */
const startsAtOnceMax = 20;
/** A program that is killed has ended long before, unless it hangs in the driver. */
const endMsMax = 1000;

export class ToolLoop {
  readonly #options: ToolLoopOptions;
  #tool: ChildProcess | undefined;
  #hasEnded = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #pauses = 1;
  #startsAtOnce = 0;
  #isClosed = false;

  constructor(options: ToolLoopOptions) {
    this.#options = options;
  }

  /** Starts it unless it runs or is about to. */
  start(): void {
    if (this.#tool !== undefined || this.#timer !== undefined || this.#isClosed) return;
    this.#run();
  }

  /** To be called when the program works: the next pause is the shortest again. */
  works(): void {
    this.#pauses = 1;
    this.#startsAtOnce = 0;
  }

  /** Resolves when it has ended, at the latest after a second. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    if (this.#tool === undefined) return;
    killTool(this.#tool);
    const giveUp = new Promise<void>((resolve) => {
      this.#timer = setTimeout(resolve, endMsMax);
    });
    await Promise.race([this.#hasEnded, giveUp]);
    clearTimeout(this.#timer);
  }

  #run(): void {
    const { program, args, env } = this.#options;
    try {
      this.#tool = spawnTool({ program, args: args(), env });
      this.#follow(this.#tool);
    } catch (error) {
      // Most reasons come as an event, some (no memory) at once.
      this.#ended(spawnFault(error as NodeJS.ErrnoException));
    }
  }

  #follow(tool: ChildProcess): void {
    const { silenceMsMax } = this.#options;
    let lastWords = '';
    let reason: string | undefined;
    const giveUp = (problem: string): void => {
      reason ??= problem;
      killTool(tool);
    };
    // In two halves: where it was this program that stood still (a paused machine), the lines that wait are read between.
    const awaitLine = (isLastHalf = false): NodeJS.Timeout =>
      setTimeout(() => {
        if (isLastHalf) giveUp(`silent for ${silenceMsMax} ms`);
        else silence = awaitLine(true);
      }, silenceMsMax / 2).unref();
    let silence = awaitLine();
    let lines: string[] = [];
    const reader = new LineReader({ onLine: (line) => lines.push(line), lineBytesMax });
    tool.stdout?.on('data', (part: Buffer) => {
      try {
        reader.push(part);
      } catch {
        giveUp('endless line');
      }
      if (lines.length === 0) return;
      clearTimeout(silence);
      silence = awaitLine();
      lastWords = lines[0] ?? '';
      const whole = lines;
      lines = [];
      if (!this.#isClosed) this.#options.onLines(whole);
    });
    tool.stderr?.setEncoding('utf8').on('data', (part: string) => {
      lastWords = part;
    });
    this.#hasEnded = new Promise((resolve) => {
      const end = (answer: ToolAnswer): void => {
        clearTimeout(silence);
        resolve();
        if (this.#tool === tool) this.#ended(answer);
      };
      tool.once('error', (error) => end(spawnFault(error)));
      tool.once('close', (code, signal) => {
        end({ type: 'failed', problem: reason ?? problemOf(lastWords, code ?? signal) });
      });
    });
  }

  #ended(answer: ToolAnswer): void {
    this.#tool = undefined;
    if (this.#isClosed || answer.type === 'done') return;
    const when = this.#options.onEnd(answer);
    if (when === 'never') return;
    this.#startsAtOnce += when === 'now' ? 1 : 0;
    const isPatient = when === 'later' || this.#startsAtOnce > startsAtOnceMax;
    const pauseMs = isPatient ? (this.#options.pauseMs ?? pauseMsDefault) * this.#pauses : 0;
    if (isPatient) this.#pauses = Math.min(this.#pauses * 2, pausesMax);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#run();
    }, pauseMs).unref();
  }
}
