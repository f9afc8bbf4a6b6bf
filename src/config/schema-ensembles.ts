/** The part of the schema that says which names are answered by several requests together instead of one. */
import { z } from 'zod';
import { describe } from './values.ts';

const callsMax = 16;
const name = () => z.string().min(1);

/** What a prompt must say where the answer, or the answers, are to stand. */
const prompt = (placeholder: string) =>
  z
    .string()
    .refine((text) => text.includes(placeholder), `must contain ${placeholder}`)
    .optional();

const ensemble = z.strictObject({
  models: describe(
    'Who answers: a name or several, which take turns. Any name that a client could ask for, but no ensemble.',
    z
      .union([name(), z.array(name()).min(1)])
      .transform((value) => (typeof value === 'string' ? [value] : value)),
  ),
  answers: describe(
    'Answers that are asked for, all at once. Unset: 3, or one of each model where there are more.',
    z.int().min(1).max(callsMax).optional(),
  ),
  critiques: describe(
    'Critiques that are asked for, spread over the answers; 0 = none. Unset: one for each answer.',
    z.int().min(0).max(callsMax).optional(),
  ),
  critic: describe(
    'Who criticises. Unset: of several `models` the one after the model that answered.',
    name().optional(),
  ),
  final: describe('Who writes the final answer. Unset: the first of `models`.', name().optional()),
  temperature: describe(
    'Temperature of the answers, so that they differ; critiques and the final answer are as the client asks.',
    z.number().min(0).max(2).default(1),
  ),
  prompts: describe(
    "The router's own words to the models ([docs/ensembles.md](ensembles.md#prompts)).",
    z
      .strictObject({
        critique: describe(
          'What a critic is told, with `{question}`, `{number}` and `{answer}` for what is criticised. Unset: the words of the documentation.',
          prompt('{answer}'),
        ),
        final: describe(
          'What is put behind the question for the final answer, with `{candidates}` for the answers and their critiques. Unset: the words of the documentation.',
          prompt('{candidates}'),
        ),
      })
      .prefault({}),
  ),
});

export type EnsembleConfig = Readonly<z.output<typeof ensemble>>;

export const ensembleShape = {
  ensembles: describe(
    'Names that are answered by several requests together: some answers, a critique of each, and a final answer that makes the best of them. By the name that clients ask for ([docs/ensembles.md](ensembles.md)).',
    z.record(name(), ensemble).default({}),
  ),
  ensemblePrefix: describe(
    'Makes an ensemble of any model for clients that put this before its name, such as `moe-`; a model that is called so wins. Empty: none. `preset: nomyo` means `moe-`.',
    z.string().default(''),
  ),
};

/** What a name with the prefix stands for. */
export function ensembleOf(model: string): EnsembleConfig {
  return ensemble.parse({ models: model });
}
