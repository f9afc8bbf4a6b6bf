/**
 * Keeps the beginning of an agent's prompts the same from request to request, so that engines find it in their caches. A
 * cache serves only up to the first difference, and agents put what changes at the very front: marks for billing, clocks,
 * budgets, tools in another order. A repair that somebody has to ask for: it changes what the model reads.
 */
import type { Message, Part, TextPart } from './ir/parts.ts';
import type { ChatRequest, Tool } from './ir/request.ts';

export const volatilePrefixChanges = {
  attribution:
    'Lines for the service itself (`x-anthropic-billing-header`), which hold another number each time, are left out',
  budget: 'The number of tokens left goes to the end of the last message; older numbers are left out',
  time: 'Lines with the time of day go to the end of the last message',
  date: "Lines with today's date go to the end of the system prompt: it changes once a day",
  'tool-order': 'Tools are sorted by name',
} as const satisfies Readonly<Record<string, string>>;

export type VolatilePrefixChange = keyof typeof volatilePrefixChanges;

export interface SteadyRequest {
  readonly request: ChatRequest;
  /** What was changed, in the order of `volatilePrefixChanges`; none = the request is the one that was given. */
  readonly changes: readonly VolatilePrefixChange[];
}

/** A request whose prefix changes only with what the agent does. Doing it twice changes nothing more. */
export function steadyPrefix(request: ChatRequest): SteadyRequest {
  const first = request.messages.findIndex(({ role }) => role !== 'system' && role !== 'developer');
  const leading = first === -1 ? request.messages : request.messages.slice(0, first);
  const found = new Found();
  const system = leading.map((message) => withoutLines(message, found));
  const rest = request.messages.slice(leading.length);
  const tools = request.tools === undefined ? undefined : sorted(request.tools, found);
  if (found.changes.size === 0) return { request, changes: [] };
  // Where nobody speaks after the system prompt, its end is the end of all.
  const spoken = lastSpoken(rest);
  const closing = [...found.dates, ...(spoken === -1 ? found.moments : [])];
  const messages = [
    ...withClosing(system, closing),
    ...rest.map((message, index) => (index === spoken ? withMoments(message, found.moments) : message)),
  ];
  const names = Object.keys(volatilePrefixChanges) as VolatilePrefixChange[];
  return {
    request: { ...request, messages, ...(tools !== undefined && { tools }) },
    changes: names.filter((name) => found.changes.has(name)),
  };
}

/** Lines that were taken out of the system prompt. */
class Found {
  readonly changes = new Set<VolatilePrefixChange>();
  readonly dates: string[] = [];
  #times: string[] = [];
  #budget: string | undefined;

  add(change: VolatilePrefixChange, line: string): void {
    this.changes.add(change);
    if (change === 'date') this.dates.push(line);
    else if (change === 'time') this.#times.push(line);
    else if (change === 'budget') this.#budget = line;
  }

  /** What is true at this moment only. */
  get moments(): readonly string[] {
    return this.#budget === undefined ? this.#times : [...this.#times, this.#budget];
  }
}

/** Longer lines say more than the date. */
const lineCharsMax = 160;
/** One look at a text tells that none of its lines is meant. */
const hints = /x-anthropic-|<total_tokens>|current|today|datetime/i;

const attribution = /^x-anthropic-[a-z-]{1,40}:/;
const budget = /^<total_tokens>[^<]{1,60}<\/total_tokens>$/;
const clockTag = /^<(current_?date_?time|current_?date|current_?time)>([^<]{4,80})<\/\1>$/i;
/** `Today's date: 2026-08-16`, `- The current date and time is Monday, March 9, 2026 at 06:00:31 PM PDT.` */
const clockLine =
  /^[^a-z]{0,8}(?:the )?(?:current|today['’]?s) (?:local )?(?:date ?(?:and|&|\/) ?time|date|time|datetime)\b(?: is)?[^a-z0-9]{1,8}(.{4,80})$/i;
const timeOfDay = /\d{1,2}:\d{2}/;
/** Another sentence follows: the line is about more. */
const goesOn = /[.!?] \S/;

function changeOf(line: string): VolatilePrefixChange | undefined {
  if (line.length > lineCharsMax) return attribution.test(line) ? 'attribution' : undefined;
  const text = line.trim();
  if (attribution.test(text)) return 'attribution';
  if (budget.test(text)) return 'budget';
  const value = clockTag.exec(text)?.[2] ?? clockLine.exec(text)?.[1];
  if (value === undefined || !/\d/.test(value) || goesOn.test(value)) return undefined;
  return timeOfDay.test(value) ? 'time' : 'date';
}

function withoutLines(message: Message, found: Found): Message {
  let isSame = true;
  const parts = message.parts.flatMap((part): readonly Part[] => {
    if (part.kind !== 'text' || !hints.test(part.text)) return [part];
    const text = textWithoutLines(part.text, found);
    if (text === undefined) return [part];
    isSame = false;
    return text.trim() === '' ? [] : [{ kind: 'text', text }];
  });
  return isSame ? message : { ...message, parts };
}

/** undefined = every line stays. */
function textWithoutLines(text: string, found: Found): string | undefined {
  const lines = text.split('\n');
  const kept = lines.filter((line) => {
    const change = changeOf(line);
    if (change !== undefined) found.add(change, line.trim());
    return change === undefined;
  });
  return kept.length === lines.length ? undefined : kept.join('\n');
}

function sorted(tools: readonly Tool[], found: Found): readonly Tool[] {
  const inOrder = tools.toSorted((one, other) => compare(nameOf(one), nameOf(other)));
  if (inOrder.every((tool, index) => tool === tools[index])) return tools;
  found.changes.add('tool-order');
  return inOrder;
}

function nameOf(tool: Tool): string {
  return tool.kind === 'builtin' ? tool.type : tool.name;
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** Index of the last message that the client wrote, results of tools included; -1 = there is none. */
function lastSpoken(messages: readonly Message[]): number {
  return messages.findLastIndex(({ role }) => role === 'user' || role === 'tool');
}

/** The lines as the last words of the system prompt. Messages that have lost all their words go. */
function withClosing(system: readonly Message[], lines: readonly string[]): readonly Message[] {
  const messages = system.filter(({ parts }) => parts.length > 0);
  if (lines.length === 0) return messages;
  const closing: TextPart = { kind: 'text', text: lines.join('\n') };
  const last = messages.at(-1);
  if (last === undefined) return [{ role: 'system', parts: [closing] }];
  return [...messages.slice(0, -1), { ...last, parts: [...last.parts, closing] }];
}

/**
 * The lines after all that the message says: what follows it is new in the next request anyway. In a result of a tool they
 * stand in the result, as agents do it themselves with reminders: a message of the user's own would begin another turn.
 */
function withMoments(message: Message, lines: readonly string[]): Message {
  if (lines.length === 0) return message;
  const note: TextPart = {
    kind: 'text',
    text: `<system-reminder>\n${lines.join('\n')}\n</system-reminder>`,
  };
  if (message.role === 'user') return { ...message, parts: [...message.parts, note] };
  const parts = message.parts.map((part) =>
    part.kind === 'toolResult' ? { ...part, parts: [...part.parts, note] } : part,
  );
  return { ...message, parts };
}
