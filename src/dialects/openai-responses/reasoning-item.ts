/**
 * Writes the item of what the model thought. A client that asked for a summary gets the thoughts as one, for that is what
 * it shows (Codex, LangChain and the AI SDK show nothing else); any other gets them as they are.
 */
import { placeMembers, writeAdded, writeDone } from './frames.ts';
import type { ItemPlace, ItemStatus, OutputItem } from './frames.ts';

interface Form {
  readonly added: string;
  readonly delta: string;
  readonly textDone: string;
  readonly partDone: string;
  readonly indexName: string;
  readonly partType: string;
}

const summary: Form = {
  added: 'response.reasoning_summary_part.added',
  delta: 'response.reasoning_summary_text.delta',
  textDone: 'response.reasoning_summary_text.done',
  partDone: 'response.reasoning_summary_part.done',
  indexName: 'summary_index',
  partType: 'summary_text',
};

const thoughts: Form = {
  added: 'response.content_part.added',
  delta: 'response.reasoning_text.delta',
  textDone: 'response.reasoning_text.done',
  partDone: 'response.content_part.done',
  indexName: 'content_index',
  partType: 'reasoning_text',
};

export class ReasoningItem implements OutputItem {
  readonly index: number;
  readonly #place: ItemPlace;
  readonly #form: Form;
  readonly #members: string;
  #text = '';
  #hasText = false;
  #encrypted: string | undefined;

  constructor(place: ItemPlace, { asSummary }: { readonly asSummary: boolean }) {
    this.#place = place;
    this.index = place.index;
    this.#form = asSummary ? summary : thoughts;
    this.#members = `${placeMembers(place)},"${this.#form.indexName}":0`;
  }

  begin(): string {
    return writeAdded(this.#place, this.toJson('in_progress'));
  }

  text(delta: string): string {
    const { added, delta: name } = this.#form;
    const begun = this.#hasText ? '' : this.#write(added, `"part":${this.#part()}`);
    this.#hasText = true;
    this.#text += delta;
    return begun + this.#write(name, `"delta":${JSON.stringify(delta)}`);
  }

  /** What only the service that made it can read; goes back to it unchanged. */
  prove(encrypted: string): void {
    this.#encrypted = encrypted;
  }

  end(status: ItemStatus): string {
    const { textDone, partDone } = this.#form;
    const ended = this.#hasText
      ? this.#write(textDone, `"text":${JSON.stringify(this.#text)}`) +
        this.#write(partDone, `"part":${this.#part()}`)
      : '';
    return ended + writeDone(this.#place, this.toJson(status));
  }

  toJson(status: ItemStatus): object {
    const parts = this.#hasText ? [{ type: this.#form.partType, text: this.#text }] : [];
    return {
      id: this.#place.id,
      type: 'reasoning',
      status,
      ...(this.#form === summary ? { summary: parts } : { summary: [], content: parts }),
      ...(this.#encrypted !== undefined && { encrypted_content: this.#encrypted }),
    };
  }

  #write(type: string, members: string): string {
    return this.#place.frames.write(type, `${this.#members},${members}`);
  }

  #part(): string {
    return JSON.stringify({ type: this.#form.partType, text: this.#text });
  }
}
