/** What all requests of an ensemble have used, told to the client as the usage of the one answer that it gets. */
import type { AnswerContext, Dialect } from '../../dialects/dialect.ts';
import type { AnswerEvent, Usage } from '../../dialects/ir/answer.ts';
import type { TokenUsage } from '../../store/request-record.ts';

export class UsageSum {
  #sum: Usage = { inputTokens: 0, outputTokens: 0 };

  get sum(): Usage {
    return this.#sum;
  }

  /** undefined = the engine told nothing. */
  add(usage: TokenUsage | undefined): void {
    if (usage === undefined) return;
    const { cachedTokens, cacheUnknown, reasoningTokens, ...counts } = usage;
    this.#sum = addUsage(this.#sum, {
      ...counts,
      ...(cacheUnknown !== true && { cachedTokens }),
      ...(reasoningTokens !== undefined && { reasoningTokens }),
    });
  }
}

/** The dialect for an answer whose client is told this much on top of what the answer itself took. */
export function withUsageBefore(dialect: Dialect, before: Usage): Dialect {
  return {
    ...dialect,
    createStreamWriter(context: AnswerContext) {
      const writer = dialect.createStreamWriter(context);
      return { write: (event) => writer.write(addToEvent(event, before)) };
    },
    writeAnswer(answer, context) {
      const usage = answer.usage && addUsage(before, answer.usage);
      return dialect.writeAnswer({ ...answer, usage }, context);
    },
  };
}

function addToEvent(event: AnswerEvent, before: Usage): AnswerEvent {
  if (event.kind === 'usage') return { ...event, usage: addUsage(before, event.usage) };
  if (event.kind !== 'started' || event.usage === undefined) return event;
  return { ...event, usage: addUsage(before, event.usage) };
}

function addUsage(one: Usage, other: Usage): Usage {
  const rare = (['cachedTokens', 'cacheWriteTokens', 'reasoningTokens'] as const).filter(
    (key) => one[key] !== undefined || other[key] !== undefined,
  );
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    ...Object.fromEntries(rare.map((key) => [key, (one[key] ?? 0) + (other[key] ?? 0)])),
  };
}
