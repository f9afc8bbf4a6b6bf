/**
 * One request that an ensemble answers: answers, critiques, and the final answer, which goes to the client as it comes.
 * Holds no slot and no queue place: all work is done by inner calls. Owns the signal that ends them.
 */
import { dialects } from '../../dialects/index.ts';
import type { ChatRequest, JsonObject, ModelRequest } from '../../dialects/ir/request.ts';
import { intentOf } from '../../dialects/ollama/request.ts';
import type { EnsembleConfig } from '../../config/schema-ensembles.ts';
import { LlameroError } from '../../domain/errors.ts';
import type { ModelName } from '../../domain/ids.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { TranslatableRoute } from '../../domain/routes.ts';
import type { RequestRecord } from '../../store/request-record.ts';
import { notesIn } from '../answer-notes.ts';
import type { ClientAnswer } from '../client-answer.ts';
import type { GatewayParts } from '../gateway.ts';
import { toResponseHeaders } from '../headers.ts';
import type { Inbound } from '../inbound.ts';
import type { BeginExchange, InnerAnswer } from '../inner-call/inner-call.ts';
import { hasToldLimits, tellLimits } from '../keys/limit-headers.ts';
import { AnswerTranslation } from '../translation/answer-translation.ts';
import type { Conversation } from '../translation/conversation.ts';
import { dialectRoutes } from '../translation/dialect-routes.ts';
import { contextOf } from '../translation/translate.ts';
import { finalModel, planAnswers, planCritiques } from './ensemble-plan.ts';
import { answerRequest, critiqueRequest, finalRequest, lastQuestion, textOf } from './inner-requests.ts';
import { askMember, hearMember, type MemberCallOptions, type Refusal, type Reply } from './member-call.ts';
import { fillCritique, fillFinal, type Candidate } from './prompts.ts';
import { UsageSum, withUsageBefore } from './usage-sum.ts';

/** The request's own life, which goes on while the ensemble works. */
export interface EnsembleHost {
  readonly record: RequestRecord;
  readonly answer: ClientAnswer;
  readonly begin: BeginExchange;
  finish(outcome: Outcome): void;
  /** Answers with an error where that is still possible. */
  fail(error: LlameroError, outcome: Outcome): void;
  /** Ends an answer that has begun; `told`: the client has been told why. */
  brokeOff(error: LlameroError, told: boolean): void;
}

export interface EnsembleSource {
  readonly parts: GatewayParts;
  readonly inbound: Inbound;
  readonly host: EnsembleHost;
  readonly config: EnsembleConfig;
  /** Of the client. */
  readonly route: TranslatableRoute;
  /** The client's body, and as it was meant. */
  readonly body: JsonObject;
  readonly asked: ModelRequest;
  readonly request: ChatRequest;
  readonly conversation: Conversation | undefined;
}

/** By which members are asked: the client's own API, where that is one of conversations. */
const memberRoutes: Readonly<Record<TranslatableRoute, TranslatableRoute>> = {
  'chat-completions': 'chat-completions',
  completions: 'chat-completions',
  responses: 'responses',
  messages: 'messages',
  'ollama-chat': 'ollama-chat',
  'ollama-generate': 'ollama-chat',
};

/** Requests of the Responses API name earlier answers and want to be kept: members get neither. */
const isRewritten: ReadonlySet<TranslatableRoute> = new Set(['responses']);

interface Draft {
  readonly author: ModelName;
  readonly words: string;
}

export class EnsembleRun {
  readonly #source: EnsembleSource;
  readonly #ending = new AbortController();
  readonly #usage = new UsageSum();
  readonly #calls: MemberCallOptions;

  constructor(source: EnsembleSource) {
    const { host, inbound, route, body, request } = source;
    const isOwnRoute = memberRoutes[route] === route && !isRewritten.has(route);
    this.#source = source;
    this.#calls = {
      begin: host.begin,
      caller: inbound,
      parent: host.record.id,
      route: memberRoutes[route],
      asked: isOwnRoute ? { body, request } : undefined,
      signal: this.#ending.signal,
      usage: this.#usage,
    };
  }

  /** Ends with one of the host's calls, unless it is aborted before. */
  start(): void {
    const { host } = this.#source;
    this.#run().catch((thrown: unknown) => {
      if (this.#ending.signal.aborted) return;
      host.fail(LlameroError.from(thrown), 'failed_before_first_byte');
    });
  }

  /** The request has ended, and with it all that was asked for it. Idempotent. */
  abort(): void {
    this.#ending.abort(new LlameroError('client_closed', 'The request of the ensemble has ended'));
  }

  async #run(): Promise<void> {
    const { config, request, asked } = this.#source;
    const model = finalModel(config);
    // Ollama's way to load or unload a model asks for no text.
    if (intentOf(asked) !== 'generate') {
      await this.#answerFinally({ ...request, model });
      return;
    }
    const question = lastQuestion(request);
    if (question === undefined) {
      throw new LlameroError('request_malformed', 'An ensemble needs a message of a user', {
        param: 'messages',
      });
    }
    const drafts = await this.#drafts();
    if (drafts === undefined) return;
    const candidates = await this.#criticise(drafts, textOf(question));
    const note = fillFinal(config.prompts.final, candidates);
    await this.#answerFinally(finalRequest(request, { model, note }));
  }

  /** The answers that came; undefined = none did, and the client has been told. */
  async #drafts(): Promise<readonly Draft[] | undefined> {
    const { config, request } = this.#source;
    const { temperature } = config;
    const authors = planAnswers(config);
    const replies = await Promise.all(
      authors.map((model, index) =>
        hearMember(this.#calls, answerRequest(request, { model, temperature, index }), 'answer'),
      ),
    );
    const drafts = replies.flatMap((reply, index) =>
      reply.kind === 'words' ? [{ author: authors[index] ?? '', words: reply.words }] : [],
    );
    if (drafts.length > 0) return drafts;
    this.#refuse(replies);
    return undefined;
  }

  async #criticise(drafts: readonly Draft[], question: string): Promise<readonly Candidate[]> {
    const { config, request } = this.#source;
    const planned = planCritiques(
      config,
      drafts.map(({ author }) => author),
    );
    const replies = await Promise.all(
      planned.map(({ answer, critic }) => {
        const { words = '' } = drafts[answer] ?? {};
        const prompt = fillCritique(config.prompts.critique, { question, answer: words, number: answer + 1 });
        return hearMember(this.#calls, critiqueRequest(request, { model: critic, prompt }), 'critique');
      }),
    );
    return drafts.map(({ words }, index) => ({
      answer: words,
      critiques: replies.flatMap((reply, at) =>
        planned[at]?.answer === index && reply.kind === 'words' ? [reply.words] : [],
      ),
    }));
  }

  async #answerFinally(request: ChatRequest): Promise<void> {
    const answer = await askMember(this.#calls, request, 'final');
    const { status, headers, record, dropped } = answer;
    const transform = this.#begin({ status, headers, backend: record.backend, dropped });
    try {
      await this.#relay(answer);
    } catch (thrown) {
      this.#ending.signal.throwIfAborted();
      this.#brokeOff(whyBroken(record, thrown), transform.error !== undefined);
      return;
    }
    this.#end();
  }

  #brokeOff(error: LlameroError, told: boolean): void {
    const { host } = this.#source;
    if (host.answer.begun) host.brokeOff(error, told);
    else host.fail(error, 'failed_before_first_byte');
  }

  async #relay({ body }: Pick<InnerAnswer, 'body'>): Promise<void> {
    const { host, inbound } = this.#source;
    for await (const chunk of body) {
      if (!host.answer.push(chunk, false)) await this.#drained(inbound);
    }
  }

  /** Until the client has read what it was sent, or has left. */
  async #drained({ response }: Inbound): Promise<void> {
    const { signal } = this.#ending;
    const { promise, resolve } = Promise.withResolvers<void>();
    const go = (): void => resolve();
    response.onDrain(go);
    signal.addEventListener('abort', go, { once: true });
    await promise;
    signal.removeEventListener('abort', go);
  }

  /** Without a single answer the client gets what an engine, or the router, said to the first that was refused. */
  #refuse(replies: readonly Reply[]): void {
    const refused = replies.find((reply) => reply.kind === 'refused');
    if (refused !== undefined) {
      this.#passRefusal(refused.refusal);
      return;
    }
    const broken = replies.find((reply) => reply.kind === 'broken');
    const why = broken === undefined ? '' : `: ${broken.error.message}`;
    throw new LlameroError('ensemble_failed', `None of ${replies.length} answers came${why}`);
  }

  #passRefusal({ status, headers, body }: Refusal): void {
    this.#begin({ status, headers, backend: undefined, dropped: [] });
    this.#source.host.answer.push(body, false);
    this.#end();
  }

  /** The head of the client's answer, from that of a member's. */
  #begin(head: {
    readonly status: number;
    readonly headers: readonly string[];
    readonly backend: string | undefined;
    readonly dropped: readonly string[];
  }): AnswerTranslation {
    const { parts, inbound, host, asked, route, conversation } = this.#source;
    const { key } = inbound;
    const { clock, keyMeter } = parts;
    const { id, startedEpochMs: arrivedEpochMs } = host.record;
    if (!inbound.response.headersSent) {
      const { dialect } = inbound.route;
      tellLimits(inbound.response, keyMeter, { key, dialect, nowEpochMs: clock.epochMs() });
    }
    const context = contextOf({ clock, said: host.record.requested, requestId: id, arrivedEpochMs }, asked);
    const transform = new AnswerTranslation({
      client: withUsageBefore(dialects[dialectRoutes[route].dialect], this.#usage.sum),
      engine: dialects[dialectRoutes[this.#calls.route].dialect],
      context,
      stream: asked.stream,
      splitThoughts: false,
      notes: notesIn(host.record),
      onAnswer: conversation?.keep,
      isAccounted: false,
    });
    const { status, headers: received, backend, dropped } = head;
    const headers = toResponseHeaders(received, {
      requestId: id,
      backend,
      attempts: undefined,
      dropped,
      repaired: [],
      limitsTold: key !== undefined && hasToldLimits(key),
    });
    host.answer.head({ status, received, headers, doneRequired: false, transform, mayLackRoute: false });
    return transform;
  }

  #end(): void {
    const { host } = this.#source;
    const end = host.answer.end();
    if (end.kind === 'broken') host.brokeOff(end.error, true);
    else if (end.kind === 'passed') host.finish(end.isError ? 'passed_through_error' : 'completed');
    else {
      host.answer.tryPassRefusal();
      host.finish('passed_through_error');
    }
  }
}

/** What the final request says of itself is more than that it broke off. */
function whyBroken({ errorCode, errorMessage }: Readonly<RequestRecord>, thrown: unknown): LlameroError {
  if (errorCode === undefined || errorMessage === undefined) return LlameroError.from(thrown);
  return new LlameroError(errorCode, errorMessage);
}
