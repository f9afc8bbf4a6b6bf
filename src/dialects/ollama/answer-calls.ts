/** Tool calls in answers for Ollama's clients: whole, with arguments as an object. */
import type { JsonObject } from '../ir/request.ts';
import { tryParseArguments } from './tools.ts';

export interface CallDraft {
  readonly id: string;
  readonly name: string;
  arguments: string;
  readonly custom: boolean | undefined;
}

export interface CallsWritten {
  readonly calls: readonly JsonObject[];
  /** What takes the place of calls that cannot be made; '' = none. */
  readonly text: string;
}

/**
 * A call whose arguments are no JSON object (cut off by a token limit, or botched by the model) comes as text, as it
 * does from Ollama: with arguments that nobody meant, its tool must not run.
 */
export function writeCalls(drafts: readonly Readonly<CallDraft>[]): CallsWritten {
  const calls: JsonObject[] = [];
  const texts: string[] = [];
  for (const { id, name, arguments: text, custom } of drafts) {
    const given = custom === true ? { input: text } : tryParseArguments(text);
    if (given === undefined) texts.push(`{"name":${JSON.stringify(name)},"arguments":${text}}`);
    else calls.push({ id, function: { index: calls.length, name, arguments: given } });
  }
  return { calls, text: texts.join('\n') };
}
