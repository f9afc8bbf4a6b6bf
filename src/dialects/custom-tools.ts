/**
 * Custom tools (free text instead of JSON) for engines that only know functions: the tool becomes a function with one
 * string parameter, a call's JSON becomes the text again while it streams. Knows no dialect.
 */
import { isObject, textOf } from './ir/fields.ts';
import type { ToolCallPart } from './ir/parts.ts';
import type { CustomTool, FunctionTool } from './ir/request.ts';

/** Name of the function's only parameter. `opening` below has it, too. */
const member = 'input';

/** The tool for an engine that does not know custom tools. A grammar becomes part of the description. */
export function toFunctionTool({ name, description, format }: CustomTool): FunctionTool {
  const grammar = grammarOf(format);
  const rule =
    grammar === undefined
      ? undefined
      : `The text in \`${member}\` must follow this ${grammar.syntax} grammar:\n${grammar.definition}`;
  const words = [description, rule].filter((text) => text !== undefined).join('\n\n');
  return {
    kind: 'function',
    name,
    ...(words !== '' && { description: words }),
    parameters: {
      type: 'object',
      properties: { [member]: { type: 'string', description: 'Free text for the tool.' } },
      required: [member],
      additionalProperties: false,
    },
  };
}

/** A call of the conversation so far, as the engine knows the tool: its arguments are JSON. */
export function toFunctionCall({ id, name, arguments: text }: ToolCallPart): ToolCallPart {
  return { kind: 'toolCall', id, name, arguments: JSON.stringify({ [member]: text }) };
}

/** What the text must follow, in the form of either API of OpenAI; undefined = anything goes. */
export function grammarOf(format: unknown): { syntax: string; definition: string } | undefined {
  if (!isObject(format) || format['type'] !== 'grammar') return undefined;
  const grammar = isObject(format['grammar']) ? format['grammar'] : format;
  const definition = textOf(grammar['definition']);
  return definition === '' ? undefined : { syntax: textOf(grammar['syntax']) || 'lark', definition };
}

type State =
  /** Nothing tells yet where the text begins. */
  | 'held'
  | 'text'
  | 'over'
  /** There is no JSON around the text. */
  | 'free';

const opening = /^\s*\{\s*"input"\s*:\s*"/;
const plainEscapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/**
 * Takes the pieces of a call's JSON and gives the text that is in it, as far as it is known. Any split of the same JSON
 * gives the same text, and nothing it gives ends within a surrogate pair. What is not the JSON it should be is taken for
 * the text itself: models forget the wrapping. Never throws.
 */
export class FreeTextReader {
  #state: State = 'held';
  #held = '';
  /** The beginning of an escape. */
  #escape = '';
  /** The first half of a surrogate pair. */
  #half = '';

  /** True when nothing can follow that belongs to the text. */
  get isWhole(): boolean {
    return this.#state === 'over' || (this.#state === 'held' && tryParse(this.#held) !== undefined);
  }

  push(piece: string): string {
    if (this.#state === 'over') return '';
    if (this.#state === 'free') return this.#whole(piece);
    if (this.#state === 'text') return this.#whole(this.#decode(piece, 0));
    this.#held += piece;
    const begin = opening.exec(this.#held)?.[0].length;
    if (begin !== undefined) {
      this.#state = 'text';
      return this.#whole(this.#decode(this.#held, begin));
    }
    const first = this.#held.trimStart().charAt(0);
    if (first === '' || first === '{' || first === '"') return '';
    this.#state = 'free';
    return this.#whole(this.#held);
  }

  /** What was held back. Once, after the last piece. */
  end(): string {
    const rest = this.#half + (this.#state === 'held' ? onlyTextOf(this.#held) : '');
    this.#state = 'over';
    this.#half = '';
    return rest;
  }

  /** The text of the JSON string that goes on at `from`; notices its end. */
  #decode(json: string, from: number): string {
    let text = '';
    let at = from;
    while (at < json.length) {
      if (this.#escape !== '') {
        this.#escape += json.charAt(at);
        at += 1;
        const meaning = meaningOf(this.#escape);
        if (meaning === undefined) continue;
        text += meaning;
        this.#escape = '';
        continue;
      }
      const end = nextSpecial(json, at);
      text += json.slice(at, end);
      at = end + 1;
      if (json.charAt(end) === '\\') this.#escape = '\\';
      else if (end < json.length) {
        this.#state = 'over';
        return text;
      }
    }
    return text;
  }

  /** Puts the half of a pair that was held back before the text, and holds back another one at its end. */
  #whole(text: string): string {
    if (text === '') return '';
    const joined = this.#half + text;
    const isTorn = isFirstHalf(joined.charCodeAt(joined.length - 1));
    this.#half = isTorn && this.#state !== 'over' ? joined.slice(-1) : '';
    return this.#half === '' ? joined : joined.slice(0, -1);
  }
}

/** undefined = its rest is missing. What is no escape stands for itself: models forget to double a backslash. */
function meaningOf(escape: string): string | undefined {
  const letter = escape.charAt(1);
  if (letter !== 'u') return plainEscapes[letter] ?? ('"\\/'.includes(letter) ? letter : escape);
  if (escape.length < 6) return undefined;
  const code = escape.slice(2);
  return /^[\da-f]{4}$/i.test(code) ? String.fromCharCode(Number.parseInt(code, 16)) : escape;
}

/** Where the next quote or backslash is; the length = there is none. */
function nextSpecial(json: string, from: number): number {
  for (let at = from; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === 0x22 || code === 0x5c) return at;
  }
  return json.length;
}

function isFirstHalf(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

/** The text that a call without the right opening means. */
function onlyTextOf(held: string): string {
  const value = tryParse(held);
  if (typeof value === 'string') return value;
  if (!isObject(value)) return held;
  if (typeof value[member] === 'string') return value[member];
  const texts = Object.values(value);
  return texts.length === 1 && typeof texts[0] === 'string' ? texts[0] : held;
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
