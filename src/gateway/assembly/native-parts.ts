/** Puts an answer of llama.cpp's own `/completion` and `/infill` together; several prompts make a list of answers. */
import { inOrder, isFields, pushAll, toIndex, toText } from './fields.ts';
import type { AnswerParts, Fields } from './fields.ts';

export interface NativeOptions {
  /** The request has `return_tokens`: a stream always carries the tokens, a whole answer only then. */
  readonly returnTokens: boolean;
  /** The request's `response_fields`, paths with `/`; empty = everything. */
  readonly responseFields: readonly string[];
}

interface Answer {
  content: string;
  readonly tokens: unknown[];
  last: Fields | undefined;
}

export function createNativeParts(options: NativeOptions): AnswerParts {
  const answers = new Map<number, Answer>();
  return {
    add(event) {
      const index = toIndex(event['index']);
      const answer = answers.get(index) ?? { content: '', tokens: [], last: undefined };
      answers.set(index, answer);
      answer.content += toText(event['content']);
      pushAll(answer.tokens, event['tokens']);
      if (event['stop'] === true) answer.last = event;
    },
    finish() {
      const whole = inOrder(answers).map((answer) => toAnswer(answer, options));
      if (whole.length === 0 || whole.includes(undefined)) return undefined;
      return whole.length === 1 ? whole[0] : whole;
    },
  };
}

function toAnswer(answer: Answer, options: NativeOptions): Fields | undefined {
  const { last, content, tokens } = answer;
  if (last === undefined) return undefined;
  const settings = last['generation_settings'];
  const whole: Fields = {
    ...last,
    content,
    tokens: options.returnTokens ? tokens : [],
    ...(isFields(settings) ? { generation_settings: { ...settings, stream: false } } : {}),
  };
  return options.responseFields.length === 0 ? whole : selectFields(whole, options.responseFields);
}

/** llama-server names a selected field by its whole path; a path that leads nowhere is left out. */
function selectFields(whole: Fields, paths: readonly string[]): Fields {
  const selected: Record<string, unknown> = {};
  for (const path of paths) {
    let value: unknown = whole;
    for (const key of path.split('/')) value = isFields(value) ? value[key] : undefined;
    if (value !== undefined) selected[path] = value;
  }
  return selected;
}
