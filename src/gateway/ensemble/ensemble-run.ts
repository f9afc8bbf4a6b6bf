/**
 * One request that an ensemble answers: answers, critiques, and the final answer, which goes to the client as it comes.
 * Holds no slot and no queue place: all work is done by inner calls. Owns the signal that ends them.
 */
import type { EnsembleConfig } from '../../config/schema-ensembles.ts';
import type { Message } from '../../dialects/ir/parts.ts';
import type { ChatRequest, JsonObject, ModelRequest } from '../../dialects/ir/request.ts';
import { LlameroError } from '../../domain/errors.ts';
import type { ModelName } from '../../domain/ids.ts';
import type { TranslatableRoute } from '../../domain/routes.ts';
import type { GatewayParts } from '../gateway.ts';
import type { Inbound } from '../inbound.ts';
import type { Conversation } from '../translation/conversation.ts';
import type { EnsembleHost } from './ensemble-host.ts';
import { finalModel, planAnswers, planCritiques } from './ensemble-plan.ts';
import { answerRequest, critiqueRequest, finalRequest, textOf } from './inner-requests.ts';
import { askMember, hearMember, type MemberCallOptions, type Reply } from './member-call.ts';
import { MemberRelay } from './member-relay.ts';
import { fillCritique, fillFinal, type Candidate } from './prompts.ts';
import { UsageSum } from './usage-sum.ts';

export interface EnsembleSource {
  readonly parts: GatewayParts;
  readonly inbound: Inbound;
  readonly host: EnsembleHost;
  readonly config: EnsembleConfig;
  /** Of the client. */
  readonly route: TranslatableRoute;
  /** The client's body, as it was meant, and as a conversation. */
  readonly body: JsonObject;
  readonly asked: ModelRequest;
  readonly request: ChatRequest;
  /** What the user said last; undefined: no text is wanted, the model is to be loaded or unloaded. */
  readonly question: Message | undefined;
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

interface Draft {
  readonly author: ModelName;
  readonly words: string;
}

export class EnsembleRun {
  readonly #source: EnsembleSource;
  readonly #ending = new AbortController();
  readonly #calls: MemberCallOptions;
  readonly #relay: MemberRelay;

  constructor(source: EnsembleSource) {
    const { parts, inbound, host, route, asked, conversation } = source;
    const { signal } = this.#ending;
    const usage = new UsageSum();
    const member = memberRoutes[route];
    this.#source = source;
    this.#calls = {
      begin: (inner) => host.begin(inner),
      caller: inbound,
      parent: host.record.id,
      route: member,
      asked: tryOwnWords(source),
      signal,
      usage,
    };
    const routes = { client: route, member };
    this.#relay = new MemberRelay({ parts, inbound, host, routes, asked, conversation, usage, signal });
  }

  /** Ends with one of the host's calls, unless it is aborted before. */
  start(): void {
    this.#run().catch((thrown: unknown) => {
      if (this.#ending.signal.aborted) return;
      this.#source.host.fail(LlameroError.from(thrown), 'failed_before_first_byte');
    });
  }

  /** The request has ended, and with it all that was asked for it. Idempotent. */
  abort(): void {
    this.#ending.abort(new LlameroError('client_closed', 'The request of the ensemble has ended'));
  }

  async #run(): Promise<void> {
    const { config, request, question } = this.#source;
    const model = finalModel(config);
    if (question === undefined) {
      await this.#relay.pass(await askMember(this.#calls, { ...request, model }, 'final'));
      return;
    }
    const authors = planAnswers(config);
    const replies = await this.#hearAnswers(authors);
    const drafts = replies.flatMap((reply, index) =>
      reply.kind === 'words' ? [{ author: authors[index] ?? '', words: reply.words }] : [],
    );
    if (drafts.length === 0) {
      await this.#passFailure(replies);
      return;
    }
    const candidates = await this.#criticise(drafts, textOf(question));
    const note = fillFinal(config.prompts.final, candidates);
    await this.#relay.pass(await askMember(this.#calls, finalRequest(request, { model, note }), 'final'));
  }

  async #hearAnswers(authors: readonly ModelName[]): Promise<readonly Reply[]> {
    const { config, request } = this.#source;
    const { temperature } = config;
    const wishes = authors.map((model, index) => answerRequest(request, { model, temperature, index }));
    return await Promise.all(wishes.map((wish) => hearMember(this.#calls, wish, 'answer')));
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

  /** Without a single answer the client gets what an engine, or the router, said to the first that was refused. */
  async #passFailure(replies: readonly Reply[]): Promise<void> {
    const refused = replies.find((reply) => reply.kind === 'refused');
    if (refused !== undefined) {
      const { status, headers, body } = refused.refusal;
      await this.#relay.pass({ status, headers, body: [body], record: undefined, dropped: [] });
      return;
    }
    const broken = replies.find((reply) => reply.kind === 'broken');
    const why = broken === undefined ? '' : `: ${broken.error.message}`;
    throw new LlameroError('ensemble_failed', `None of ${replies.length} answers came${why}`);
  }
}

/**
 * The client's own words, for members that are asked by the same route. A request of the Responses API names earlier answers
 * and wants its own to be kept: members get neither.
 */
function tryOwnWords({ route, body, request }: EnsembleSource): MemberCallOptions['asked'] {
  return memberRoutes[route] === route && route !== 'responses' ? { body, request } : undefined;
}
