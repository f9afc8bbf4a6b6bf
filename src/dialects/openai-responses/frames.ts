/** Writes the events of one stream and numbers them. Knows nothing of what they mean. */
export class Frames {
  #sequence = 0;

  /** `members`: JSON text of the event's own members, without braces. */
  write(type: string, members: string): string {
    const sequence = this.#sequence;
    this.#sequence += 1;
    return `event: ${type}\ndata: {"type":"${type}","sequence_number":${sequence},${members}}\n\n`;
  }
}

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

/** One item of the output while it is written. Every method gives the frames that belong to it. */
export interface OutputItem {
  readonly index: number;
  begin(): string;
  /** Its last frames. */
  end(status: ItemStatus): string;
  /** The item as it stands. */
  toJson(status: ItemStatus): object;
}

export interface ItemPlace {
  readonly frames: Frames;
  readonly id: string;
  /** Among the items of the output. */
  readonly index: number;
}

export function writeAdded({ frames, index }: ItemPlace, item: object): string {
  return frames.write('response.output_item.added', `"output_index":${index},"item":${JSON.stringify(item)}`);
}

export function writeDone({ frames, index }: ItemPlace, item: object): string {
  return frames.write('response.output_item.done', `"output_index":${index},"item":${JSON.stringify(item)}`);
}

/** The members that say which item an event is about. */
export function placeMembers({ id, index }: ItemPlace): string {
  return `"item_id":${JSON.stringify(id)},"output_index":${index}`;
}
