/** Streams of Ollama: NDJSON, an object per line, the last one with `done: true`. Both directions. */
import { parseExactJson } from '../../base/exact-json.ts';
import { LineReader } from '../../base/line-reader.ts';
import type { AnswerContext, AnswerStreamReader, AnswerStreamWriter } from '../dialect.ts';
import type { AnswerEvent, FinishReason, OnAnswerEvent, Timings, TokenLogprob, Usage } from '../ir/answer.ts';
import type { JsonObject } from '../ir/request.ts';
import type { OnRepair } from '../repairs.ts';
import { writeCalls } from './answer-calls.ts';
import type { CallDraft } from './answer-calls.ts';
import { writeDoneReason } from './done-reason.ts';
import { writeError } from './errors.ts';
import { writeLogprobs } from './logprobs.ts';
import { writeMetrics } from './metrics.ts';
import { AnswerLines } from './read-lines.ts';
import { Timestamps } from './timestamps.ts';

export function createStreamReader(onEvent: OnAnswerEvent, onRepair?: OnRepair): AnswerStreamReader {
  const answer = new AnswerLines(onEvent, onRepair);
  const lines = new LineReader({ onLine: (line) => answer.read(tryParse(line)) });
  return {
    push(chunk) {
      if (answer.isOver) return;
      try {
        lines.push(chunk);
      } catch (error) {
        answer.fail(error instanceof Error ? error.message : String(error));
      }
    },
    end() {
      if (!answer.isOver) lines.end();
      answer.end();
    },
  };
}

function tryParse(line: string): unknown {
  try {
    return parseExactJson(line);
  } catch {
    return undefined;
  }
}

/** What a line says, before it has its place in the shape of one of the two endpoints. */
export interface Said {
  readonly text: string;
  readonly thinking?: string;
  readonly calls?: readonly JsonObject[];
}

/** The members of a line that hold what was said: all that the two endpoints differ in. */
export type SaidMembers = (said: Said) => JsonObject;

const nothingSaid: Said = { text: '' };

export function createStreamWriter(members: SaidMembers, context: AnswerContext): AnswerStreamWriter {
  return new OllamaStreamWriter(members, context);
}

class OllamaStreamWriter implements AnswerStreamWriter {
  readonly #members: SaidMembers;
  readonly #context: AnswerContext;
  readonly #timestamps = new Timestamps();
  readonly #calls = new Map<number, CallDraft>();
  #firstMs: number | undefined;
  #reason: FinishReason = { kind: 'stop' };
  #usage: Usage | undefined;
  #timings: Timings | undefined;

  constructor(members: SaidMembers, context: AnswerContext) {
    this.#members = members;
    this.#context = context;
  }

  write(event: AnswerEvent): string {
    // There is one answer to a request of this API.
    if ('choice' in event && event.choice !== 0) return '';
    switch (event.kind) {
      case 'text':
        return this.#writeSaid({ text: event.text }, event.logprobs);
      case 'refusal':
        return this.#writeSaid({ text: event.text });
      case 'reasoning':
        return event.text === '' ? '' : this.#writeSaid({ text: '', thinking: event.text });
      case 'toolCall':
        this.#firstMs ??= this.#context.nowMs();
        this.#calls.set(event.call, { id: event.id, name: event.name, arguments: '', custom: event.custom });
        return '';
      case 'toolArguments': {
        const call = this.#calls.get(event.call);
        if (call !== undefined) call.arguments += event.text;
        return '';
      }
      case 'finished':
        this.#reason = event.reason;
        return this.#writeCalls();
      case 'usage':
        this.#usage = event.usage;
        return '';
      case 'started':
        this.#usage ??= event.usage;
        return '';
      case 'timings':
        this.#timings = event.timings;
        return '';
      case 'progress':
      case 'reasoningProof':
      case 'opaque':
        return '';
      case 'ended':
        return this.#writeCalls() + this.#writeEnd();
      case 'failed':
        return `${JSON.stringify(writeError(event.error))}\n`;
    }
  }

  #writeSaid(said: Said, logprobs?: readonly TokenLogprob[]): string {
    if (said.text === '' && said.thinking === undefined && said.calls === undefined && !logprobs) return '';
    const nowMs = this.#context.nowMs();
    this.#firstMs ??= nowMs;
    return this.#line(nowMs, {
      ...this.#members(said),
      done: false,
      ...(logprobs !== undefined && logprobs.length > 0 && { logprobs: writeLogprobs(logprobs) }),
    });
  }

  /** Ollama's clients get a call whole, so it waits until its arguments are. */
  #writeCalls(): string {
    if (this.#calls.size === 0) return '';
    const { calls, text } = writeCalls([...this.#calls.values()]);
    this.#calls.clear();
    return this.#writeSaid({ text, ...(calls.length > 0 && { calls }) });
  }

  #writeEnd(): string {
    const endedMs = this.#context.nowMs();
    const measured = { arrivedMs: this.#context.arrivedMs, firstMs: this.#firstMs, endedMs };
    return this.#line(endedMs, {
      ...this.#members(nothingSaid),
      done: true,
      done_reason: writeDoneReason(this.#reason),
      ...writeMetrics(this.#usage, this.#timings, measured),
    });
  }

  #line(nowMs: number, rest: JsonObject): string {
    const head = { model: this.#context.model, created_at: this.#timestamps.at(nowMs) };
    return `${JSON.stringify({ ...head, ...rest })}\n`;
  }
}
