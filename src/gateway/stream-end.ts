/**
 * Judges the end of an event stream: did the engine say that it is complete, or that it failed? Works on the last bytes
 * only, whose beginning may be cut anywhere.
 */
import type { RouteName } from '../domain/routes.ts';

export interface StreamEnd {
  /** The end mark of the route's protocol is there. */
  readonly complete: boolean;
  /** What the engine said in an error event, or in plain text after the events; undefined = it reported no error. */
  readonly error: string | undefined;
}

/** An error is the last event, or the last before `[DONE]`. */
const linesMax = 8;
const errorCharsMax = 300;

export interface StreamTail {
  readonly route: RouteName;
  readonly tail: Buffer;
  /** Usage or timings were found near the end; they come only with the last event. */
  readonly hasUsage: boolean;
  /** Chat and completion streams of this engine end with `[DONE]`; a finish reason alone is not enough. */
  readonly doneRequired: boolean;
}

export function readStreamEnd({ route, tail, hasUsage, doneRequired }: StreamTail): StreamEnd {
  const { lines, rest } = lastLines(tail);
  const error = errorInText(rest) ?? errorInEvents(lines) ?? errorInLine(route, lines.at(-1));
  return {
    complete: error === undefined && isComplete(route, tail, { lines, hasUsage, doneRequired }),
    error,
  };
}

interface EndFacts {
  readonly lines: readonly string[];
  readonly hasUsage: boolean;
  readonly doneRequired: boolean;
}

function isComplete(route: RouteName, tail: Buffer, { lines, hasUsage, doneRequired }: EndFacts): boolean {
  switch (route) {
    case 'ollama-chat':
    case 'ollama-generate':
      return lines.at(-1)?.includes('"done":true') === true;
    case 'native-completion':
    case 'infill':
      // The final event repeats the prompt between these two, so that the first may be far from the end.
      return tail.includes('"stop":true') || tail.includes('"stop_type":"');
    case 'messages':
      return lines.some((line) => line.startsWith('data:') && line.includes('"type":"message_stop"'));
    case 'responses':
      // The last event repeats the whole answer before its usage, so that its name may be far from the end.
      return (
        hasUsage || /^event: ?response\.(completed|incomplete|failed)\r?$/m.test(tail.toString('latin1'))
      );
    case 'chat-completions':
    case 'completions':
    case 'embeddings':
    case 'ollama-embed':
    case 'ollama-embeddings':
    case 'count-tokens':
    case 'count-response-tokens':
    case 'rerank':
    case 'audio':
    case 'images':
    case 'tokenize':
    case 'detokenize':
    case 'apply-template':
    case 'props':
    case 'slots':
    case 'other':
      return (
        lines.some((line) => /^data: ?\[DONE\]$/.test(line)) ||
        (!doneRequired && /"finish_reason": ?"/.test(tail.toString('latin1')))
      );
  }
}

/** The last whole lines that are not empty, in order, and the text after the last line end; none when there is no line end. */
function lastLines(tail: Buffer): { lines: string[]; rest: string } {
  const lines: string[] = [];
  let end = tail.lastIndexOf(0x0a);
  const rest = end === -1 ? '' : tail.toString('utf8', end + 1);
  while (end > 0 && lines.length < linesMax) {
    const start = tail.lastIndexOf(0x0a, end - 1);
    const line = tail.toString('utf8', start + 1, end).trimEnd();
    if (line !== '') lines.unshift(line);
    end = start;
  }
  return { lines, rest };
}

/** llama.cpp's router mode ends a stream of a model that it unloads with a bare sentence. */
function errorInText(rest: string): string | undefined {
  const text = rest.trim();
  return text === '' || /^(?:data|event|id|retry)?:/.test(text) || text.length < 8
    ? undefined
    : shorten(text);
}

/** Ollama's error is a line of its own. */
function errorInLine(route: RouteName, line: string | undefined): string | undefined {
  const isError = route.startsWith('ollama-') && line !== undefined && /^\{\s*"error"/.test(line);
  return isError ? errorMessage(line) : undefined;
}

function errorInEvents(lines: readonly string[]): string | undefined {
  let isErrorEvent = false;
  for (const line of lines) {
    if (line.startsWith('event:')) isErrorEvent = line.slice(6).trim() === 'error';
    if (!line.startsWith('data:')) continue;
    const data = line.slice(5).trim();
    if (isErrorEvent || /^\{\s*"(?:error"|object":\s*"error")/.test(data)) return errorMessage(data);
  }
  return undefined;
}

function errorMessage(data: string): string {
  try {
    const fields = JSON.parse(data) as { error?: unknown; message?: unknown } | null;
    const inner = fields?.error as { message?: unknown } | string | null | undefined;
    const message = typeof inner === 'string' ? inner : (inner?.message ?? fields?.message);
    return shorten(typeof message === 'string' ? message : data);
  } catch {
    return shorten(data);
  }
}

function shorten(text: string): string {
  return text.length > errorCharsMax ? `${text.slice(0, errorCharsMax)}…` : text;
}
