/**
 * What a chat answer and a text completion have around their choices. llama-server reports usage and timings for each
 * choice of a stream, and of a whole answer those of the first choice.
 */
import { isFields, toFieldsList, toIndex } from './fields.ts';
import type { Fields } from './fields.ts';

/** Parts of events that are about the stream, not about the answer. */
const streamFields: ReadonlySet<string> = new Set([
  'choices',
  'usage',
  'timings',
  'object',
  'prompt_progress',
]);

export class Envelope {
  readonly #fields: Record<string, unknown> = {};
  #usage: Fields | undefined;
  #timings: Fields | undefined;
  /** Choice that the last event with a choice was about: an event with usage only follows the end of its choice. */
  #index = 0;

  add(event: Fields): void {
    const choice = toFieldsList(event['choices']).at(-1);
    if (choice !== undefined) this.#index = toIndex(choice['index']);
    for (const [key, value] of Object.entries(event)) {
      if (!streamFields.has(key)) this.#fields[key] = value;
    }
    if (this.#index !== 0) return;
    if (isFields(event['usage'])) this.#usage = event['usage'];
    if (isFields(event['timings'])) this.#timings = event['timings'];
  }

  /** The whole answer, in llama-server's order. */
  wrap(object: string, choices: readonly Fields[]): Fields {
    const { created, model, system_fingerprint, id, ...rest } = this.#fields;
    return {
      choices,
      created,
      model,
      system_fingerprint,
      object,
      usage: this.#usage,
      id,
      ...rest,
      timings: this.#timings,
    };
  }
}
