/**
 * The prompt of a request as an engine is going to read it, as a chain of hashes: system text, tools, then the messages in
 * their order. Read from the body in place, most of it as the text that it is. It need not be what the engine's template makes
 * of it, only change where that changes.
 */
import { BlockChain } from '../base/block-chain.ts';
import { lastMember, scanArray, scanObjectAt } from '../base/json-scan.ts';
import type { JsonObjectSpan, JsonSpan, LongStrings } from '../base/json-scan.ts';
import type { PromptChain } from '../domain/prompt-chain.ts';
import type { RouteName } from '../domain/routes.ts';
import { isChangingText } from './conversation-fingerprint.ts';
import type { BodyFacts } from './peek.ts';

/** One prompt each, which engines begin to read at its beginning. */
const prompting: ReadonlySet<RouteName> = new Set([
  'chat-completions',
  'messages',
  'responses',
  'completions',
  'native-completion',
  'ollama-chat',
  'ollama-generate',
]);

/** Of pictures, sounds and files the beginning, the end and the length tell as much as all of it. */
const mediaBytesMin = 4 * 1024;
const mediaEdgeBytes = 1024;
/** So much of one tells what it is. */
const mediaLookBytes = 256;

/** So that a text counts as another one where another kind of part has it. */
const marks = { system: 1, tools: 2, turns: 3, media: 4, prompt: 5 } as const;

/** undefined = the route has no prompt, most of it is kept elsewhere, or it is too short to be worth finding again. */
export function readPromptChain(
  route: RouteName,
  { object }: Pick<BodyFacts, 'object'>,
  body: Buffer,
): PromptChain | undefined {
  if (object === undefined || !prompting.has(route) || goesOnFromElsewhere(object)) return undefined;
  const reader = new PromptReader(body, object.longStrings);
  for (const key of ['system', 'instructions']) {
    const text = lastMember(object, key);
    if (text !== undefined && text.kind !== 'null') reader.addSystem(text);
  }
  const tools = lastMember(object, 'tools');
  const turns = lastMember(object, 'messages') ?? lastMember(object, 'input');
  const prompt = turns ?? lastMember(object, 'prompt');
  const turnsStart = turns?.kind === 'array' ? reader.addLeadingSystem(turns) : prompt?.start;
  if (tools !== undefined) reader.addPart(marks.tools, tools.start, tools.end);
  if (prompt !== undefined && turnsStart !== undefined) {
    // The end of a text or a list is no end of what is said in it: the next request goes on there.
    reader.addPart(prompt.kind === 'array' ? marks.turns : marks.prompt, turnsStart, prompt.end - 1);
  }
  return reader.finish();
}

/** What an engine or the router remembers comes before what the body says. */
function goesOnFromElsewhere(object: JsonObjectSpan): boolean {
  return ['previous_response_id', 'conversation', 'context'].some((key) => {
    const member = lastMember(object, key);
    return member !== undefined && member.kind !== 'null';
  });
}

class PromptReader {
  readonly #body: Buffer;
  readonly #longStrings: LongStrings;
  readonly #chain: BlockChain;

  constructor(body: Buffer, longStrings: LongStrings) {
    this.#body = body;
    this.#longStrings = longStrings;
    this.#chain = new BlockChain(body);
  }

  /** A text, or parts of which those are left out that change with every request. */
  addSystem(content: JsonSpan): void {
    if (content.kind !== 'array') return this.addPart(marks.system, content.start, content.end);
    scanArray(this.#body, content, this.#longStrings, (part) => {
      const object = scanObjectAt(this.#body, part.start, part.end, this.#longStrings);
      const text = object === undefined ? undefined : lastMember(object, 'text');
      if (text === undefined || !isChangingText(this.#body, text.start)) {
        const { start, end } = text ?? part;
        this.addPart(marks.system, start, end);
      }
      return true;
    });
  }

  /** Templates put the tools behind the system text that a conversation begins with. Returns where the turns begin. */
  addLeadingSystem(turns: JsonSpan): number {
    let start = turns.start + 1;
    scanArray(this.#body, turns, this.#longStrings, (element) => {
      const message = scanObjectAt(this.#body, element.start, element.end, this.#longStrings);
      const role = message === undefined ? undefined : lastMember(message, 'role');
      if (message === undefined || role === undefined || !this.#isSystem(role)) {
        start = element.start;
        return false;
      }
      const content = lastMember(message, 'content');
      if (content !== undefined) this.addSystem(content);
      start = element.end;
      return true;
    });
    return start;
  }

  addPart(mark: number, start: number, end: number): void {
    this.#chain.mark(mark);
    let from = start;
    if (end - start >= mediaBytesMin) {
      for (const [open, close] of this.#longStrings) {
        if (open < from || close > end || close - open < mediaBytesMin || !this.#isMedia(open)) continue;
        this.#chain.add(from, open);
        this.#addMedia(open, close);
        from = close;
      }
    }
    this.#chain.add(from, end);
    this.#chain.endPart();
  }

  finish(): PromptChain | undefined {
    const chain = this.#chain.finish();
    return chain.ends.length === 0 ? undefined : chain;
  }

  #addMedia(start: number, end: number): void {
    this.#chain.mark(marks.media);
    this.#chain.mark(end - start);
    this.#chain.add(start, start + mediaEdgeBytes);
    this.#chain.add(end - mediaEdgeBytes, end);
  }

  /** A text has blanks, escapes or letters beyond ASCII; `data:image/png;base64,iVBORw0KGgo…` has not. */
  #isMedia(open: number): boolean {
    for (let at = open + 1; at <= open + mediaLookBytes; at += 1) {
      const byte = this.#body[at] ?? 0;
      if (byte <= 0x20 || byte >= 0x80 || byte === 0x5c) return false;
    }
    return true;
  }

  #isSystem({ start, end }: JsonSpan): boolean {
    const role = this.#body.toString('latin1', start + 1, end - 1);
    return role === 'system' || role === 'developer';
  }
}
