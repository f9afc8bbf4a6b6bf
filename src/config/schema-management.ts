/** The part of the schema that says on which backends models are managed. */
import { z } from 'zod';
import { describe } from './values.ts';

export const managementShape = {
  management: describe(
    'Backends on which models are pulled, pushed, created, copied and deleted where a request names none: `all` that are an Ollama, or a list of them ([docs/managing-models.md](managing-models.md)).',
    z.union([z.literal('all'), z.array(z.string().min(1)).min(1)]).default('all'),
  ),
};
