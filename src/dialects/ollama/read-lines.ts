/**
 * Reads answers of Ollama, line by line: a whole answer is one line that is already the last. Never throws; what cannot
 * be read ends the answer with `failed`.
 */
import type { OnAnswerEvent, TokenLogprob } from '../ir/answer.ts';
import { isObject, objectsOf, textOf } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';
import { onceEach } from '../repairs.ts';
import type { OnRepair } from '../repairs.ts';
import { readDoneReason } from './done-reason.ts';
import { readErrorMember } from './errors.ts';
import { readTokens } from '../openai/logprobs.ts';
import { readTimings, readUsage } from './metrics.ts';

export class AnswerLines {
  readonly #emit: OnAnswerEvent;
  readonly #repaired: OnRepair;
  #isStarted = false;
  #calls = 0;
  /** Where ids of tool calls come from that the engine gave none: the time of its first line. */
  #stamp = '';
  #isOver = false;

  constructor(onEvent: OnAnswerEvent, onRepair?: OnRepair) {
    this.#emit = onEvent;
    this.#repaired = onceEach(onRepair);
  }

  /** After `ended` or `failed`. */
  get isOver(): boolean {
    return this.#isOver;
  }

  read(line: unknown): void {
    if (this.#isOver) return;
    if (!isObject(line)) {
      this.fail('The engine sent a line that is no JSON object');
      return;
    }
    if ('error' in line && line['error'] !== null) {
      this.#isOver = true;
      this.#emit({ kind: 'failed', error: readErrorMember(line['error']) });
      return;
    }
    const message = isObject(line['message']) ? line['message'] : undefined;
    if (message === undefined && typeof line['response'] !== 'string' && line['done'] !== true) {
      this.fail('The engine sent a line that is no part of an answer');
      return;
    }
    this.#start(line);
    this.#readSaid(line, message);
    if (line['done'] === true) this.#finish(line);
  }

  /** No more lines come. */
  end(): void {
    this.fail('The answer of the engine ended before its end');
  }

  fail(message: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#emit({ kind: 'failed', error: { message } });
  }

  #start(line: JsonObject): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    const model = textOf(line['model']);
    const createdAt = textOf(line['created_at']);
    const createdMs = Date.parse(createdAt);
    this.#stamp = createdAt.replaceAll(/\D/g, '');
    this.#emit({
      kind: 'started',
      ...(model !== '' && { model }),
      ...(Number.isFinite(createdMs) && { createdS: Math.floor(createdMs / 1000) }),
    });
  }

  #readSaid(line: JsonObject, message: JsonObject | undefined): void {
    const thinking = textOf((message ?? line)['thinking']);
    const text = textOf(message === undefined ? line['response'] : message['content']);
    const logprobs = line['logprobs'] === undefined ? undefined : readTokens(line['logprobs']);
    if (thinking !== '') this.#emit({ kind: 'reasoning', choice: 0, text: thinking });
    // Probabilities of thoughts have no place in any API.
    if (text !== '' || (logprobs !== undefined && thinking === '')) this.#emitText(text, logprobs);
    for (const call of objectsOf((message ?? line)['tool_calls'])) this.#readCall(call);
  }

  #emitText(text: string, logprobs: readonly TokenLogprob[] | undefined): void {
    this.#emit({ kind: 'text', choice: 0, text, ...(logprobs !== undefined && { logprobs }) });
  }

  #readCall(call: JsonObject): void {
    const about = isObject(call['function']) ? call['function'] : {};
    const name = textOf(about['name']);
    if (name === '') {
      this.#repaired('toolNameMissing');
      return;
    }
    const index = this.#calls;
    this.#calls += 1;
    const id = textOf(call['id']) || `call_${this.#stamp}_${index}`;
    this.#emit({ kind: 'toolCall', choice: 0, call: index, id, name });
    const given: unknown = about['arguments'];
    const text = typeof given === 'string' ? given : JSON.stringify(isObject(given) ? given : {});
    this.#emit({ kind: 'toolArguments', choice: 0, call: index, text });
  }

  #finish(line: JsonObject): void {
    this.#isOver = true;
    const reason = readDoneReason(textOf(line['done_reason']), this.#calls > 0);
    this.#emit({ kind: 'finished', choice: 0, reason });
    const usage = readUsage(line);
    if (usage !== undefined) this.#emit({ kind: 'usage', usage });
    const timings = readTimings(line);
    if (timings !== undefined) this.#emit({ kind: 'timings', timings });
    this.#emit({ kind: 'ended' });
  }
}
