/** What has to come out of a cell, worked out from its scenario, the APIs on both sides, and nothing of the translation. */
import type { TranslatableRoute } from '../../src/domain/routes.ts';
import type { Caller, Heard } from './callers/caller.ts';
import type { Subject } from './engines/subjects.ts';
import { modelName } from './engines/subjects.ts';
import { tokensOf, type Arrived, type Wire } from './engines/wire.ts';
import { refusals, type Asked, type Feature, type Refusal, type Scenario, type Spoken } from './scenario.ts';

/** Why a cell is not run; undefined = it is. */
export function unsupported(caller: Caller, subject: Subject, { needs }: Scenario): string | undefined {
  if (needs !== undefined && !caller.features.has(needs))
    return `the API of ${caller.title} has no ${titles[needs]}`;
  return hasWay(caller.route, subject)
    ? undefined
    : 'text completions cannot be said in an API of conversations';
}

const titles: Readonly<Record<Feature, string>> = {
  tools: 'tools',
  thought: 'thoughts',
  images: 'images',
  schema: 'JSON schemas',
  stop: 'stop texts',
  choices: 'several choices',
  logprobs: 'log probabilities',
};

/** A text to go on with is no conversation: without its own route it needs Ollama's. */
export function hasWay(route: TranslatableRoute, { wires, translate }: Subject): boolean {
  if (route !== 'completions') return true;
  const isNative = 'completions' in wires && !translate.includes('completions');
  return isNative || 'ollama-generate' in wires;
}

/** What the header for things left out has to name, where the engine's API lacks what the scenario needs. */
export function droppedName({ needs }: Scenario, wire: Wire): RegExp | undefined {
  if (needs === undefined || wire.features.has(needs)) return undefined;
  return {
    choices: /\bn\b/,
    logprobs: /logprobs/,
    stop: /stop/,
    tools: /tools/,
    thought: /reason|think/,
    images: /image/,
    schema: /format/,
  }[needs];
}

export interface Sides {
  readonly caller: Caller;
  readonly subject: Subject;
  readonly wire: Wire;
  readonly stream: boolean;
}

export function expectedHeard(asked: Asked, spoken: Spoken, sides: Sides): Partial<Heard> {
  const { caller, subject, wire, stream } = sides;
  const isTold = !stream || !caller.asksForUsage || asked.usage === true;
  const tellsCached = wire.tellsCached && subject.kind !== 'ollama';
  const { input, output, cached } = spoken.usage;
  const usage = { input, output, ...(caller.hearsCached && { cached: tellsCached ? cached : 0 }) };
  return {
    model: modelName,
    texts: wire.features.has('choices') ? spoken.texts : spoken.texts.slice(0, 1),
    thought: spoken.thought ?? '',
    end: caller.ends[spoken.end],
    ...stopped(spoken, sides),
    ...(asked.logprobs === true && {
      logprobs: wire.features.has('logprobs')
        ? tokensOf(spoken.texts[0] ?? '').map((token) => `${token}:-0.25:2`)
        : [],
    }),
    ...(isTold ? { usage } : { usage: undefined }),
  };
}

/** Only Messages tells a client which text it was. */
function stopped({ stoppedAt }: Spoken, { caller, subject, wire }: Sides): Partial<Heard> {
  const isTold = subject.tellsStop && wire.features.has('stop');
  if (stoppedAt === undefined || caller.route !== 'messages' || !isTold) return {};
  return { end: 'stop_sequence', stoppedAt };
}

export function expectedArrival(asked: Asked, { caller, wire }: Sides): Partial<Arrived> {
  // Responses has nothing but the effort: to think at all is its default.
  const isThoughtSaid = asked.think === true && (caller.namesEffort || wire.path !== '/v1/responses');
  const can = (feature: Feature, fields: Partial<Arrived>) => (wire.features.has(feature) ? fields : {});
  return {
    text: asked.text,
    system: caller.route === 'completions' ? '' : (asked.system ?? ''),
    images: asked.image === undefined ? [] : [asked.image],
    ...can('tools', { tools: asked.tools ?? [] }),
    ...(asked.schema && can('schema', { schema: asked.schema })),
    ...(asked.stop !== undefined && can('stop', { stop: [asked.stop] })),
    ...(asked.maxTokens !== undefined && { maxTokens: asked.maxTokens }),
    ...(asked.choices !== undefined && can('choices', { choices: asked.choices })),
    ...(asked.logprobs === true && can('logprobs', { logprobs: true })),
    ...(isThoughtSaid && can('thought', { think: true })),
  };
}

/** Messages has words of its own for a prompt that is too long, which its clients look for. */
export function expectedRefusal(refusal: Refusal, { caller, wire }: Sides): string {
  const isTold = caller.route === 'messages' && wire.path !== '/v1/messages';
  return refusal === 'overflow' && isTold
    ? 'prompt is too long: 5953 tokens > 4096 maximum'
    : refusals[refusal].message;
}
