/**
 * Simulated users in front of the real router: conversations with and without session ids, embeddings, reranking, plain
 * completions, now and then a crowd, now and then somebody who leaves. Bounded, and indifferent to errors.
 */
import http from 'node:http';

import { createRandom, type Random } from '../base/random.ts';
import { Conversations } from './conversations.ts';
import { systemTimers, type TimerHandle, type Timers } from './timers.ts';
import { sendUserRequest, type SentRequest, type UserAnswer } from './traffic-client.ts';

export interface TrafficOptions {
  /** The router. */
  readonly url: string;
  readonly apiKey?: string;
  readonly models: { readonly chat: readonly string[]; readonly vectors: string };
  readonly seed: number;
  /** Requests begun per minute on average; default 60. */
  readonly ratePerMinute?: number;
  /** Requests out at once; beyond that users stay away. Default 24. */
  readonly concurrencyMax?: number;
  /** Default: the machine's own. */
  readonly timers?: Timers;
}

export interface TrafficStats {
  readonly sent: number;
  readonly completed: number;
  readonly failed: number;
  /** Clients that went before the end. */
  readonly left: number;
  /** Not sent because too many were out. */
  readonly skipped: number;
  readonly inFlight: number;
}

export interface Traffic {
  readonly running: boolean;
  /** Idempotent; after `stop` it goes on with the same conversations. */
  start(): void;
  /** No further requests; those that are out end by themselves. */
  stop(): void;
  /** Stops and aborts what is out; resolves when it is gone. */
  close(): Promise<void>;
  stats(): TrafficStats;
}

const crowdChance = 0.06;
const crowdSize = 9;
const impatientChance = 0.06;
const impatientMsMax = 4000;
const timeoutMs = 180_000;

type Kind = 'chat' | 'completion' | 'embeddings' | 'rerank';

interface OutgoingRequest {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export function createTraffic(options: TrafficOptions): Traffic {
  return new SimTraffic(options);
}

class SimTraffic implements Traffic {
  readonly #options: TrafficOptions;
  readonly #timers: Timers;
  readonly #random: Random;
  readonly #conversations: Conversations;
  readonly #agent = new http.Agent({ keepAlive: true });
  readonly #out = new Set<SentRequest>();
  readonly #counts = { sent: 0, completed: 0, failed: 0, left: 0, skipped: 0 };
  #arrival: TimerHandle | undefined;

  constructor(options: TrafficOptions) {
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
    this.#random = createRandom(options.seed);
    this.#conversations = new Conversations(options.models.chat, this.#random);
  }

  get running(): boolean {
    return this.#arrival !== undefined;
  }

  start(): void {
    if (this.#arrival === undefined) this.#scheduleArrival();
  }

  stop(): void {
    this.#timers.clear(this.#arrival);
    this.#arrival = undefined;
  }

  async close(): Promise<void> {
    this.stop();
    const answers = [...this.#out].map(({ answer }) => answer);
    for (const sent of this.#out) sent.abort();
    await Promise.all(answers);
    this.#agent.destroy();
  }

  stats(): TrafficStats {
    return { ...this.#counts, inFlight: this.#out.size };
  }

  #scheduleArrival(): void {
    // Exponential gaps: arrivals that know nothing of each other.
    const gapMs = (-Math.log(1 - this.#random.next()) * 60_000) / (this.#options.ratePerMinute ?? 60);
    this.#arrival = this.#timers.set(() => {
      const crowd = this.#random.next() < crowdChance ? crowdSize : 1;
      for (let n = 0; n < crowd; n += 1) this.#arrive();
      this.#scheduleArrival();
    }, gapMs);
  }

  #arrive(): void {
    if (this.#out.size >= (this.#options.concurrencyMax ?? 24)) {
      this.#counts.skipped += 1;
      return;
    }
    const kind = pickKind(this.#random.next());
    if (kind === 'chat') void this.#takeTurn();
    else void this.#send(this.#singleRequest(kind));
  }

  async #takeTurn(): Promise<void> {
    const turn = this.#conversations.nextTurn();
    const { model, messages, session } = turn.conversation;
    const answer = await this.#send({
      path: '/v1/chat/completions',
      body: { model, messages, stream: true },
      headers: session === undefined ? {} : { 'x-session-id': session },
    });
    if (answer.result === 'completed') turn.answered(answer.text);
    else turn.failed();
  }

  #singleRequest(kind: Exclude<Kind, 'chat'>): OutgoingRequest {
    const { vectors: model, chat } = this.#options.models;
    const passages = (count: number) => Array.from({ length: count }, () => this.#conversations.passage(3));
    if (kind === 'embeddings') return { path: '/v1/embeddings', body: { model, input: passages(4) } };
    if (kind === 'completion') {
      const prompt = this.#conversations.passage(6);
      return { path: '/v1/completions', body: { model: chat[0], prompt, max_tokens: 60, stream: true } };
    }
    const query = this.#conversations.passage(1);
    return { path: '/v1/rerank', body: { model, query, documents: passages(8), top_n: 3 } };
  }

  async #send({ path, body, headers }: OutgoingRequest): Promise<UserAnswer> {
    const { url, apiKey } = this.#options;
    this.#counts.sent += 1;
    const sent = sendUserRequest({
      url: new URL(path, url),
      agent: this.#agent,
      body,
      headers: { ...headers, ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }) },
      timeoutMs,
    });
    this.#out.add(sent);
    const leaves = this.#random.next() < impatientChance;
    const patienceMs = this.#random.next() * impatientMsMax;
    const leaving = leaves ? this.#timers.set(() => sent.abort(), patienceMs) : undefined;
    const answer = await sent.answer;
    this.#timers.clear(leaving);
    this.#out.delete(sent);
    this.#counts[answer.result] += 1;
    return answer;
  }
}

function pickKind(chance: number): Kind {
  if (chance < 0.78) return 'chat';
  if (chance < 0.9) return 'embeddings';
  return chance < 0.95 ? 'completion' : 'rerank';
}
