/** What could be better about how a llama-server was started, out of its `/props`. Asks nothing that wakes it or loads a model. */
import type { EngineAdvice, ProbeClient } from '../engine-kind.ts';
import { tryGetObject } from './probing.ts';
import { asObject, asPositive } from './read-json.ts';
import type { JsonObject } from './read-json.ts';

/** A conversation with tools begins with more than this. */
const contextTokensUsual = 4096;

/** Empty for a server in router mode: each of its models has settings of its own, which only loading it would tell. */
export async function adviseLlamacpp(client: ProbeClient): Promise<readonly EngineAdvice[]> {
  const props = await tryGetObject(client, '/props');
  if (props === undefined || props['role'] === 'router') return [];
  return [...adviseOnEndpoints(props), ...adviseOnSlots(props)];
}

function adviseOnEndpoints(props: JsonObject): EngineAdvice[] {
  const { endpoint_slots: slots, endpoint_metrics: metrics } = props;
  if (slots === undefined) {
    return [
      {
        level: 'warning',
        saw: 'it is a version that does not say whether its slots can be read',
        change: 'install a newer llama.cpp',
      },
    ];
  }
  if (slots === false && metrics !== true) {
    return [
      {
        level: 'warning',
        saw: 'its slots cannot be read, so requests of others are not seen and slots of clients that left stay taken for long',
        change: 'start it without --no-slots, or with --metrics',
      },
    ];
  }
  if (metrics === true) return [];
  return [
    {
      level: 'note',
      saw: 'it has no metrics; while it is in use, reading its slots keeps it from sleeping',
      change: 'start it with --metrics',
    },
  ];
}

function adviseOnSlots(props: JsonObject): EngineAdvice[] {
  const slots = asPositive(props['total_slots']);
  const contextTokens = asPositive(asObject(props['default_generation_settings'])?.['n_ctx']);
  const advice: EngineAdvice[] = [];
  if (slots === 1) {
    advice.push({
      level: 'note',
      saw: 'it has one slot: it runs one request after the other',
      change: 'start it with --parallel 4 (or more) if its memory has room for their contexts',
    });
  }
  if (contextTokens !== undefined && contextTokens < contextTokensUsual) {
    const wanted = contextTokensUsual * (slots ?? 1);
    advice.push({
      level: 'warning',
      saw: `each of its slots holds ${contextTokens} tokens: longer prompts fail`,
      change: `start it with --ctx-size ${wanted} (it is shared among ${slots ?? 1} slots)`,
    });
  }
  return advice;
}
