/**
 * Writes what chat and text completions have in common in their streams: chunks around choices, the end with its usage, the
 * error. Chunks with a finish reason wait for the end of the answer, where the counts are known.
 */
import type { AnswerContext } from '../dialect.ts';
import type { AnswerEvent, Timings, Usage } from '../ir/answer.ts';
import type { JsonObject } from '../ir/request.ts';
import { answerHead } from './answer-head.ts';
import { writeError } from './errors.ts';
import { writeUsage } from './usage.ts';

export interface ChunkKind {
  /** Of ids. */
  readonly prefix: string;
  /** Of chunks. */
  readonly object: string;
}

type FrameEvent = Extract<AnswerEvent, { kind: 'started' | 'usage' | 'timings' | 'ended' | 'failed' }>;

export class ChunkWriter {
  readonly #context: AnswerContext;
  readonly #kind: ChunkKind;
  /** Of every chunk, up to its choices. */
  #opening = '';
  /** After the choices. With usage at the end, all other chunks say that they have none. */
  readonly #closing: string;
  #usage: Usage | undefined;
  #timings: Timings | undefined;
  readonly #lastChoices: string[] = [];

  constructor(context: AnswerContext, kind: ChunkKind) {
    this.#context = context;
    this.#kind = kind;
    this.#closing = context.request.usageInStream ? '],"usage":null}\n\n' : ']}\n\n';
  }

  /** `choice`: JSON text of an object. */
  chunk(choice: string): string {
    return this.#opening + choice + this.#closing;
  }

  /** The last chunk of a choice. */
  hold(choice: string): void {
    this.#lastChoices.push(choice);
  }

  /** What stands around the choices. */
  frame(event: FrameEvent): string {
    switch (event.kind) {
      case 'started': {
        this.#usage = event.usage;
        const head = JSON.stringify(answerHead(event, this.#context, this.#kind));
        this.#opening = `data: ${head.slice(0, -1)},"choices":[`;
        return '';
      }
      case 'usage':
        this.#usage = event.usage;
        return '';
      case 'timings':
        this.#timings = event.timings;
        return '';
      case 'ended':
        return this.#end();
      case 'failed':
        return `data: ${JSON.stringify(writeError(event.error, event.error.status ?? 500))}\n\n`;
    }
  }

  /** llama.cpp's timings stand beside the usage, and without one in the last chunk of a choice. */
  #end(): string {
    const timings = this.#timings?.own;
    const counts = timings === undefined ? {} : { timings };
    if (!this.#context.request.usageInStream) {
      const last = this.#lastChoices.pop();
      const end = last === undefined ? '' : this.#chunkWith(last, counts);
      return this.#lastChunks() + end + doneMark;
    }
    const usage = this.#usage;
    const end = usage === undefined ? '' : this.#chunkWith('', { usage: writeUsage(usage), ...counts });
    return this.#lastChunks() + end + doneMark;
  }

  #lastChunks(): string {
    return this.#lastChoices.map((choice) => this.chunk(choice)).join('');
  }

  #chunkWith(choice: string, members: JsonObject): string {
    const rest = JSON.stringify(members).slice(1);
    return `${this.#opening}${choice}]${rest === '}' ? '' : ','}${rest}\n\n`;
  }
}

const doneMark = 'data: [DONE]\n\n';
