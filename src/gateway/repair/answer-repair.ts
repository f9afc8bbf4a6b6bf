/**
 * Puts right what an engine says in the client's own dialect: the answer is read and written again, errors pass as they
 * are. May stand behind a transform that puts the answer together from a stream.
 */
import { dialects } from '../../dialects/index.ts';
import type { EngineError } from '../../dialects/ir/answer.ts';
import type { RouteName } from '../../domain/routes.ts';
import type { AnswerTransform, EngineHead, TransformedHead } from '../answer-transform.ts';
import type { Route } from '../routes.ts';
import { AnswerTranslation } from '../translation/answer-translation.ts';
import { dialectRoutes, isDialectRoute } from '../translation/dialect-routes.ts';
import { tryReadModelRequest } from '../translation/read-request.ts';
import { contextOf, type Translatable } from '../translation/translate.ts';
import type { UsageResult } from '../usage-reader.ts';

export interface AnswerRepairSource extends Omit<Translatable, 'route'> {
  readonly route: Route;
}

/** Without a place of their own for thoughts. */
const thoughtless: ReadonlySet<RouteName> = new Set(['completions']);

/**
 * undefined = the answer is to pass as it is: no repair is wanted there, or nobody could say what was asked.
 * `assembly`: gives a whole answer at its end, or an error.
 */
export function tryRepairAnswer(
  source: AnswerRepairSource,
  assembly?: AnswerTransform,
): AnswerTransform | undefined {
  const { backend, route, stream, notes } = source;
  const { toolCalls, thinkTags } = backend.config.repairs;
  const splitThoughts = thinkTags && !thoughtless.has(route.name);
  if (!splitThoughts && !(toolCalls && route.name === 'chat-completions')) return undefined;
  if (!isDialectRoute(route.name)) return undefined;
  const asked = source.asked ?? tryReadModelRequest(route.name, source.body);
  if (asked === undefined) return undefined;
  const dialect = dialects[dialectRoutes[route.name].dialect];
  const context = contextOf(source, asked);
  const options = { client: dialect, engine: dialect, context, stream, splitThoughts, notes };
  return new AnswerRepair(new AnswerTranslation(options), assembly);
}

class AnswerRepair implements AnswerTransform {
  readonly #translation: AnswerTranslation;
  readonly #assembly: AnswerTransform | undefined;
  /** Set where the answer has to be put together first. */
  #first: AnswerTransform | undefined;
  /** Whose answer the client gets: an error of the assembly is not put right. */
  #last: AnswerTransform;

  constructor(translation: AnswerTranslation, assembly: AnswerTransform | undefined) {
    this.#translation = translation;
    this.#assembly = assembly;
    this.#last = translation;
  }

  get answerHead(): TransformedHead {
    return this.#last.answerHead;
  }

  get error(): EngineError | undefined {
    return this.#last.error;
  }

  head(head: EngineHead): boolean {
    if (head.status >= 400) return false;
    if (this.#assembly?.head(head) === true) this.#first = this.#assembly;
    else this.#translation.head(head);
    return true;
  }

  push(chunk: Buffer): Buffer | undefined {
    return (this.#first ?? this.#translation).push(chunk);
  }

  end(): Buffer | undefined {
    const assembly = this.#first;
    if (assembly === undefined) return this.#translation.end();
    const whole = assembly.end();
    const { status, contentType } = assembly.answerHead;
    if (status >= 400 || whole === undefined) {
      this.#last = assembly;
      return whole;
    }
    this.#translation.head({ status, headers: ['content-type', contentType], streamBegun: false });
    this.#translation.push(whole);
    return this.#translation.end();
  }

  result(): UsageResult {
    return (this.#first ?? this.#translation).result();
  }
}
