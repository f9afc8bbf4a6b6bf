/** What the simulated users of the traffic say: conversations that go on for some turns, and texts to make vectors of. */
import type { Random } from '../base/random.ts';
import { adjectives, nouns, tails, verbs } from './engine/words.ts';

const conversationsMax = 12;
const turnsMax = 6;
const answerCharactersMax = 8000;
/** How often a user goes on with a conversation rather than beginning one, once there are some. */
const continues = 0.75;

export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface Conversation {
  readonly model: string;
  /** Sent as `x-session-id`; undefined = the router has only the text to go by. */
  readonly session: string | undefined;
  readonly messages: readonly Message[];
}

interface Running {
  readonly model: string;
  readonly session: string | undefined;
  messages: Message[];
  busy: boolean;
}

/** Owns the conversations that are going on, at most so many; each has at most one request out. */
export class Conversations {
  readonly #models: readonly string[];
  readonly #random: Random;
  #running: Running[] = [];
  #begun = 0;

  constructor(models: readonly string[], random: Random) {
    this.#models = models;
    this.#random = random;
  }

  /** A turn with a new question at its end, to be handed back to `answered` or `failed`. */
  nextTurn(): { readonly conversation: Conversation; answered(text: string): void; failed(): void } {
    const waiting = this.#running.filter(({ busy }) => !busy);
    const goesOn = waiting.length > 0 && this.#random.next() < continues;
    const running = goesOn ? pick(waiting, this.#random) : this.#begin();
    const question: Message = { role: 'user', content: this.#question() };
    const asked = [...running.messages, question];
    running.busy = true;
    return {
      conversation: { model: running.model, session: running.session, messages: asked },
      answered: (text) => {
        running.busy = false;
        running.messages = [...asked, { role: 'assistant', content: text.slice(0, answerCharactersMax) }];
        if (running.messages.length > turnsMax * 2) this.#end(running);
      },
      failed: () => this.#end(running),
    };
  }

  /** A passage of some sentences. */
  passage(sentences: number): string {
    return Array.from({ length: sentences }, () => this.#sentence()).join(' ');
  }

  #begin(): Running {
    this.#begun += 1;
    // The first model is the one most users ask for.
    const model = this.#random.next() < 0.6 ? this.#models[0] : pick(this.#models, this.#random);
    const running: Running = {
      model: model ?? '',
      session: this.#begun % 2 === 0 ? `demo-session-${this.#begun}` : undefined,
      messages: [{ role: 'system', content: `You are assistant ${this.#begun}. ${this.passage(40)}` }],
      busy: false,
    };
    this.#running.push(running);
    const idle = this.#running.find(({ busy }) => !busy);
    if (this.#running.length > conversationsMax && idle !== undefined) this.#end(idle);
    return running;
  }

  #end(conversation: Running): void {
    this.#running = this.#running.filter((each) => each !== conversation);
  }

  #question(): string {
    const [one, other] = [pick(nouns, this.#random), pick(nouns, this.#random)];
    return `What does the ${pick(adjectives, this.#random)} ${one} have to do with the ${other} ${pick(tails, this.#random)}?`;
  }

  #sentence(): string {
    const word = (words: readonly string[]) => pick(words, this.#random);
    return `The ${word(adjectives)} ${word(nouns)} ${word(verbs)} the ${word(nouns)} ${word(tails)}.`;
  }
}

function pick<Value>(values: readonly Value[], random: Random): Value {
  const found = values[Math.floor(random.next() * values.length)];
  if (found === undefined) throw new RangeError('nothing to pick from');
  return found;
}
