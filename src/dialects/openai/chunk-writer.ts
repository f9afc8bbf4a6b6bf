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

  start(event: Extract<AnswerEvent, { kind: 'started' }>): void {
    this.#usage = event.usage;
    const head = JSON.stringify(answerHead(event, this.#context, this.#kind));
    this.#opening = `data: ${head.slice(0, -1)},"choices":[`;
  }

  /** `choice`: JSON text of an object. */
  chunk(choice: string): string {
    return this.#opening + choice + this.#closing;
  }

  /** The last chunk of a choice. */
  hold(choice: string): void {
    this.#lastChoices.push(choice);
  }

  count(event: Extract<AnswerEvent, { kind: 'usage' | 'timings' }>): void {
    if (event.kind === 'usage') this.#usage = event.usage;
    else this.#timings = event.timings;
  }

  /** llama.cpp's timings stand beside the usage, and without one in the last chunk of a choice. */
  end(): string {
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

  fail({ error }: Extract<AnswerEvent, { kind: 'failed' }>): string {
    return `data: ${JSON.stringify(writeError(error, error.status ?? 500))}\n\n`;
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
