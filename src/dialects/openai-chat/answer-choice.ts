/** Reads what a choice of a chat completion says: the message of a whole answer or the deltas of a stream, as one thing. */
import type { FinishReason, TokenLogprob } from '../ir/answer.ts';
import { isObject, objectsOf, textOf } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';
import type { ChoiceContext, ChoiceReader } from '../openai/answer-reader.ts';
import { AnswerCalls } from './answer-calls.ts';
import { readLogprobs } from './logprobs.ts';

export function createChatChoice(context: ChoiceContext): ChoiceReader {
  return new ChatChoice(context);
}

class ChatChoice implements ChoiceReader {
  readonly #context: ChoiceContext;
  readonly #calls: AnswerCalls;
  #hasDeltas = false;
  /** Came without text (a token that is no whole character, text that the engine holds back): they go with the next text. */
  #logprobs: TokenLogprob[] = [];

  constructor(context: ChoiceContext) {
    this.#context = context;
    this.#calls = new AnswerCalls(context);
  }

  read(choice: JsonObject): void {
    const { delta, message } = choice;
    if (isObject(delta)) {
      this.#hasDeltas = true;
      this.#readSaid(delta, choice['logprobs']);
      this.#calls.readPieces(delta['tool_calls']);
      this.#calls.readFunctionCall(delta['function_call']);
    } else if (isObject(message)) {
      // After deltas a whole message says everything again; its calls are compared, the rest is not needed.
      if (!this.#hasDeltas) this.#readSaid(message, choice['logprobs']);
      this.#calls.readWhole(message['tool_calls']);
      this.#calls.readFunctionCall(message['function_call']);
    }
  }

  end(reason: FinishReason | undefined): FinishReason {
    const end = this.#rightReason(reason);
    this.#calls.end(end.kind === 'length');
    return end;
  }

  #readSaid(message: JsonObject, logprobs: unknown): void {
    const reasoning = reasoningOf(message);
    this.#emitReasoning(reasoning);
    // Engines give them for thoughts as well, where nobody could tell which is which.
    const isThought = reasoning !== '' && textOf(message['content']) === '';
    this.#readContent(message['content'], isThought ? [] : (readLogprobs(logprobs) ?? []));
    const refusal = textOf(message['refusal']);
    if (refusal !== '')
      this.#context.onEvent({ kind: 'refusal', choice: this.#context.index, text: refusal });
  }

  #readContent(content: unknown, tokens: readonly TokenLogprob[]): void {
    if (!Array.isArray(content)) {
      this.#emitText(textOf(content), tokens);
      return;
    }
    let text = '';
    for (const part of objectsOf(content)) {
      // Mistral: thoughts are parts of the content, and in them a list of texts.
      if (part['type'] === 'thinking') this.#emitReasoning(joinedText(part['thinking']));
      else text += textOf(part['text']);
    }
    this.#emitText(text, tokens);
  }

  #emitReasoning(text: string): void {
    if (text !== '') this.#context.onEvent({ kind: 'reasoning', choice: this.#context.index, text });
  }

  #emitText(text: string, tokens: readonly TokenLogprob[]): void {
    for (const token of tokens) this.#logprobs.push(token);
    if (text === '') return;
    const logprobs = this.#logprobs;
    this.#context.onEvent({
      kind: 'text',
      choice: this.#context.index,
      text,
      ...(logprobs.length > 0 && { logprobs }),
    });
    if (logprobs.length > 0) this.#logprobs = [];
  }

  /** Engines that say `stop` after a tool call, or `tool_calls` without one, send agents astray. */
  #rightReason(reason: FinishReason | undefined): FinishReason {
    const fits: FinishReason = { kind: this.#calls.any ? 'toolCalls' : 'stop' };
    if (reason === undefined) return fits;
    const isWrong = this.#calls.any ? reason.kind === 'stop' : reason.kind === 'toolCalls';
    if (!isWrong) return reason;
    this.#context.onRepair('finishReasonWrong');
    return fits;
  }
}

/** Of a message or a delta; the member has two names, and some engines send both. */
function reasoningOf(message: JsonObject): string {
  return textOf(message['reasoning_content']) || textOf(message['reasoning']);
}

function joinedText(parts: unknown): string {
  if (typeof parts === 'string') return parts;
  return objectsOf(parts)
    .map(({ text }) => textOf(text))
    .join('');
}
