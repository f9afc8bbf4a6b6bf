/** Arguments of tool calls: an object in the Messages API, its JSON text everywhere else. */
import { parseExactJson } from '../../base/exact-json.ts';
import { isObject } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';

/**
 * Where text goes that is no JSON object (a model's mistake, or a call that was cut short). Anthropic documents this
 * member for the purpose, so that models know what they see when it comes back to them.
 */
const brokenMember = 'INVALID_JSON';
/** Where the text of a tool goes that takes free text: the parameter that `custom-tools.ts` gives it. */
export const freeTextMember = 'input';

/** `{}` for no text at all. */
export function toolInputOf(text: string, custom: boolean | undefined): JsonObject {
  if (custom === true) return { [freeTextMember]: text };
  if (text.trim() === '') return {};
  try {
    const value = parseExactJson(text);
    if (isObject(value)) return value;
  } catch {
    // It is passed on as it stands.
  }
  return { [brokenMember]: text };
}

/** undefined = it nests too deep to be written. */
export function tryWriteToolInput(input: unknown): string | undefined {
  try {
    return JSON.stringify(input ?? {});
  } catch {
    return undefined;
  }
}
