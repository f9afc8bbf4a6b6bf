/** Sampling members that chat and text completions share, with those that engines have added to OpenAI's. */
import type { WriteTarget } from '../dialect.ts';
import { optionalNumber, optionalObject, pathOf, present } from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { JsonObject, Sampling } from '../ir/request.ts';

/** Names of the members that are read here. */
export const samplingMembers: readonly string[] = [
  'max_tokens',
  'temperature',
  'top_p',
  'top_k',
  'min_p',
  'typical_p',
  'seed',
  'stop',
  'frequency_penalty',
  'presence_penalty',
  'repeat_penalty',
  'repetition_penalty',
  'repeat_last_n',
  'logit_bias',
  'n',
];

/** All but the limit of tokens and log probabilities, which chat and text completions have in forms of their own. @throws RequestShapeError */
export function readSampling(place: Place): Sampling {
  return present({
    temperature: optionalNumber(place, 'temperature'),
    topP: optionalNumber(place, 'top_p'),
    topK: optionalNumber(place, 'top_k'),
    minP: optionalNumber(place, 'min_p'),
    typicalP: optionalNumber(place, 'typical_p'),
    seed: optionalNumber(place, 'seed'),
    stop: readStop(place),
    frequencyPenalty: optionalNumber(place, 'frequency_penalty'),
    presencePenalty: optionalNumber(place, 'presence_penalty'),
    repeatPenalty: optionalNumber(place, 'repeat_penalty') ?? optionalNumber(place, 'repetition_penalty'),
    repeatLastN: optionalNumber(place, 'repeat_last_n'),
    logitBias: optionalObject(place, 'logit_bias')?.fields,
    choices: optionalNumber(place, 'n'),
  });
}

/** The counterpart of `readSampling`. */
export function writeSampling(sampling: Sampling, target: WriteTarget): JsonObject {
  return present({
    temperature: sampling.temperature,
    top_p: sampling.topP,
    seed: sampling.seed,
    stop: sampling.stop,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    logit_bias: sampling.logitBias,
    n: sampling.choices,
    ...takenMembers(sampling, target),
  });
}

/** Members that OpenAI's own API does not have, as far as the engine takes them. */
function takenMembers(sampling: Sampling, { habits, onDropped }: WriteTarget): JsonObject {
  const { takesMoreSamplers, repeatPenaltyName } = habits;
  // Engines that say `repetition_penalty` (vLLM, SGLang) have neither the window of it nor typical sampling.
  const takesAll = takesMoreSamplers && repeatPenaltyName === 'repeat_penalty';
  const members: readonly (readonly [name: string, value: number | undefined, isTaken: boolean])[] = [
    ['top_k', sampling.topK, takesMoreSamplers],
    ['min_p', sampling.minP, takesMoreSamplers],
    [repeatPenaltyName, sampling.repeatPenalty, takesMoreSamplers],
    ['typical_p', sampling.typicalP, takesAll],
    ['repeat_last_n', sampling.repeatLastN, takesAll],
  ];
  const taken: [string, number][] = [];
  for (const [name, value, isTaken] of members) {
    if (value === undefined) continue;
    if (isTaken) taken.push([name, value]);
    else onDropped(name);
  }
  return Object.fromEntries(taken);
}

function readStop(place: Place): readonly string[] | undefined {
  const stop = place.fields['stop'] ?? undefined;
  if (stop === undefined) return undefined;
  if (typeof stop === 'string') return [stop];
  const isTexts = Array.isArray(stop) && stop.every((text): text is string => typeof text === 'string');
  if (!isTexts) throw new RequestShapeError(pathOf(place, 'stop'), 'must be a string or a list of strings');
  return stop;
}
