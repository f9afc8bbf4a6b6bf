/**
 * What is changed in one request so that one backend takes it: before it is sent, and again after an error that says why
 * it was not taken. Each repair comes at most once. Sends nothing itself.
 */
import type { EngineError } from '../../dialects/ir/answer.ts';
import { dialects } from '../../dialects/index.ts';
import type { ModelRequest } from '../../dialects/ir/request.ts';
import { complaintOf } from '../../dialects/repair/complaint.ts';
import { trimToFit, type Room } from '../../dialects/repair/trim-to-fit.ts';
import { withoutImages } from '../../dialects/repair/without-images.ts';
import { withoutTools } from '../../dialects/repair/without-tools.ts';
import { estimateInputTokens } from '../../dialects/token-estimate.ts';
import { steadyPrefix } from '../../dialects/volatile-prefix.ts';
import type { ModelName } from '../../domain/ids.ts';
import type { RepairRecord } from '../../domain/repair-record.ts';
import type { TranslatableRoute } from '../../domain/routes.ts';
import type { Backend } from '../../engines/backend.ts';
import { peekBody, type BodyFacts } from '../peek.ts';
import { dialectRoutes } from '../translation/dialect-routes.ts';
import { tryReadModelRequest } from '../translation/read-request.ts';
import type { ContextSizes } from './context-sizes.ts';
import { putBack } from './put-back.ts';

export interface RequestRepairsOptions {
  readonly backend: Backend;
  /** By its canonical name on the backend. */
  readonly model: ModelName;
  readonly route: TranslatableRoute;
  readonly body: Buffer;
  /** The body, where it was read before. */
  readonly asked: ModelRequest | undefined;
  readonly contexts: ContextSizes;
  /** Told of each repair that is made. */
  readonly onRepair: (repair: RepairRecord) => void;
}

/** A request that differs from what the client sent. */
export interface RepairedRequest {
  readonly asked: ModelRequest;
  readonly request: ModelRequest;
  /** In the client's dialect. */
  readonly body: Buffer;
  readonly peeked: BodyFacts;
}

type RequestRepair = 'trimContext' | 'dropTools' | 'dropImages' | 'volatilePrefix';

interface Changed {
  readonly request: ModelRequest;
  readonly record: RepairRecord & { readonly repair: RequestRepair };
}

/** A prompt is taken for too long without asking only when it is so by far: how far depends on what the guess is worth. */
const certainty = { counted: 1.1, guessed: 1.5 } as const;

export class RequestRepairs {
  readonly #options: RequestRepairsOptions;
  readonly #made = new Set<RequestRepair>();
  #asked: ModelRequest | undefined;
  #repaired: RepairedRequest | undefined;

  constructor(options: RequestRepairsOptions) {
    this.#options = options;
    this.#asked = options.asked;
    this.#prepare();
  }

  /** Whether any repair is wanted that comes before or after an attempt. */
  static areWanted({ config: { repairs } }: Backend): boolean {
    return repairs.trimContext || repairs.dropTools || repairs.dropImages || repairs.volatilePrefix;
  }

  /** undefined = nothing was changed. */
  get repaired(): RepairedRequest | undefined {
    return this.#repaired;
  }

  /** Whether an error of the engine could lead to another attempt. */
  get mayHelp(): boolean {
    const { repairs } = this.#options.backend.config;
    return (['trimContext', 'dropTools', 'dropImages'] as const).some(
      (repair) => repairs[repair] && !this.#made.has(repair),
    );
  }

  /** True: `repaired` is another request than before and worth a try. */
  tryRepair(error: EngineError): boolean {
    const complaint = complaintOf(error);
    if (complaint === undefined) return false;
    const request = this.#current();
    if (request === undefined) return false;
    if (complaint === 'context') this.#learn(request, error);
    for (const change of this.#changesFor(complaint, request, error)) {
      if (change !== undefined && this.#make(change)) return true;
    }
    return false;
  }

  *#changesFor(
    complaint: NonNullable<ReturnType<typeof complaintOf>>,
    request: ModelRequest,
    error: EngineError,
  ): Generator<Changed | undefined, undefined> {
    if (complaint === 'images') {
      yield this.#ifWanted('dropImages', () => withoutImages(request));
      return;
    }
    if (complaint === 'context') yield this.#trimmed(request, this.#roomAfter(error));
    // Their definitions take room, too.
    yield this.#ifWanted('dropTools', () =>
      request.kind === 'chat' && (complaint === 'tools' || (request.tools ?? []).length > 0)
        ? withoutTools(request)
        : undefined,
    );
  }

  /** What can be done before the engine has said anything. */
  #prepare(): void {
    const { backend, model, contexts, body } = this.#options;
    const { repairs } = backend.config;
    if (repairs.volatilePrefix) {
      const request = this.#current();
      const steady = request?.kind === 'chat' ? steadyPrefix(request) : undefined;
      if (steady !== undefined && steady.changes.length > 0) {
        this.#make({ request: steady.request, record: { repair: 'volatilePrefix' } });
      }
    }
    const context = repairs.trimContext ? contexts.get(backend, model) : undefined;
    // No tokeniser makes more tokens than there are bytes.
    if (context === undefined || body.length <= context.tokens) return;
    const request = this.#current();
    if (request?.kind !== 'chat') return;
    const promptTokens = estimateInputTokens(request) * (context.perGuess ?? 1);
    const isCertain = context.perGuess === undefined ? certainty.guessed : certainty.counted;
    if (promptTokens <= context.tokens * isCertain) return;
    const change = this.#trimmed(request, { contextTokens: context.tokens, promptTokens });
    if (change !== undefined) this.#make(change);
  }

  #trimmed(request: ModelRequest, room: Room): Changed | undefined {
    if (request.kind !== 'chat' || !this.#isLeft('trimContext')) return undefined;
    const trimmed = trimToFit(request, room);
    if (trimmed === undefined) return undefined;
    return { request: trimmed.request, record: { repair: 'trimContext', messages: trimmed.messages } };
  }

  #ifWanted(repair: RequestRepair, change: () => ModelRequest | undefined): Changed | undefined {
    const request = this.#isLeft(repair) ? change() : undefined;
    return request && { request, record: { repair } };
  }

  #isLeft(repair: RequestRepair): boolean {
    return this.#options.backend.config.repairs[repair] && !this.#made.has(repair);
  }

  #roomAfter({ overflow = {} }: EngineError): Room {
    const { backend, model, contexts } = this.#options;
    const contextTokens = overflow.contextTokens ?? contexts.get(backend, model)?.tokens;
    return { ...overflow, ...(contextTokens !== undefined && { contextTokens }) };
  }

  #learn(request: ModelRequest, { overflow }: EngineError): void {
    const { backend, model, contexts } = this.#options;
    const { contextTokens, promptTokens } = overflow ?? {};
    if (contextTokens === undefined) return;
    const perGuess = promptTokens === undefined ? undefined : promptTokens / estimateInputTokens(request);
    contexts.learn(backend, model, { tokens: contextTokens, perGuess });
  }

  #make({ request, record }: Changed): boolean {
    const { route, backend, body, onRepair } = this.#options;
    const from = this.#asked;
    const dialect = dialects[dialectRoutes[route].dialect];
    const { habits } = backend.kind;
    const patched = from && putBack(body, { from, to: request }, { dialect, habits });
    if (from === undefined || patched === undefined) return false;
    this.#made.add(record.repair);
    const peeked = peekBody({ body: patched, contentType: undefined, query: '' });
    this.#repaired = { asked: from, request, body: patched, peeked };
    onRepair(record);
    return true;
  }

  /** As it is now; undefined = it cannot be read, which is for the engine to complain about. */
  #current(): ModelRequest | undefined {
    if (this.#repaired !== undefined) return this.#repaired.request;
    const { route, body } = this.#options;
    this.#asked ??= tryReadModelRequest(route, body);
    return this.#asked;
  }
}
