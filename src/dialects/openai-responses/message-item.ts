/** Writes the item of what the assistant says: texts and refusals, one part of the content after the other. */
import type { TokenLogprob } from '../ir/answer.ts';
import type { JsonObject } from '../ir/request.ts';
import { placeMembers, writeAdded, writeDone } from './frames.ts';
import type { ItemPlace, ItemStatus, OutputItem } from './frames.ts';
import { writeToken } from '../openai/logprobs.ts';

interface Content {
  readonly kind: 'text' | 'refusal';
  /** Members that every event of the part has. */
  readonly members: string;
  text: string;
  readonly logprobs: JsonObject[];
}

export class MessageItem implements OutputItem {
  readonly index: number;
  readonly #place: ItemPlace;
  readonly #content: Content[] = [];
  #isOpen = false;

  constructor(place: ItemPlace) {
    this.#place = place;
    this.index = place.index;
  }

  begin(): string {
    return writeAdded(this.#place, this.toJson('in_progress'));
  }

  text(delta: string, logprobs: readonly TokenLogprob[] = []): string {
    const begun = this.#beginPart('text');
    const content = this.#content.at(-1);
    if (content === undefined) return begun;
    content.text += delta;
    const members = `${content.members},"delta":${JSON.stringify(delta)}`;
    if (logprobs.length === 0) {
      return begun + this.#place.frames.write('response.output_text.delta', `${members},"logprobs":[]`);
    }
    const written = logprobs.map(writeToken);
    content.logprobs.push(...written);
    const last = `,"logprobs":${JSON.stringify(written)}`;
    return begun + this.#place.frames.write('response.output_text.delta', members + last);
  }

  refusal(delta: string): string {
    const begun = this.#beginPart('refusal');
    const content = this.#content.at(-1);
    if (content === undefined) return begun;
    content.text += delta;
    const members = `${content.members},"delta":${JSON.stringify(delta)}`;
    return begun + this.#place.frames.write('response.refusal.delta', members);
  }

  end(status: ItemStatus): string {
    return this.#endPart() + writeDone(this.#place, this.toJson(status));
  }

  toJson(status: ItemStatus): object {
    return {
      id: this.#place.id,
      type: 'message',
      status,
      content: this.#content.map(partOf),
      role: 'assistant',
    };
  }

  #beginPart(kind: Content['kind']): string {
    if (this.#isOpen && this.#content.at(-1)?.kind === kind) return '';
    const ended = this.#endPart();
    const members = `${placeMembers(this.#place)},"content_index":${this.#content.length}`;
    const content: Content = { kind, members, text: '', logprobs: [] };
    const part = JSON.stringify(partOf(content));
    this.#content.push(content);
    this.#isOpen = true;
    return ended + this.#place.frames.write('response.content_part.added', `${members},"part":${part}`);
  }

  #endPart(): string {
    const content = this.#content.at(-1);
    if (!this.#isOpen || content === undefined) return '';
    this.#isOpen = false;
    const { members, kind } = content;
    const text = JSON.stringify(content.text);
    const { frames } = this.#place;
    const whole =
      kind === 'refusal'
        ? frames.write('response.refusal.done', `${members},"refusal":${text}`)
        : frames.write(
            'response.output_text.done',
            `${members},"text":${text},"logprobs":${JSON.stringify(content.logprobs)}`,
          );
    const part = JSON.stringify(partOf(content));
    return whole + frames.write('response.content_part.done', `${members},"part":${part}`);
  }
}

function partOf({ kind, text, logprobs }: Content): JsonObject {
  return kind === 'refusal'
    ? { type: 'refusal', refusal: text }
    : { type: 'output_text', annotations: [], logprobs: [...logprobs], text };
}
