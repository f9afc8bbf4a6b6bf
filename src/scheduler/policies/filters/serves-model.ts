/** Only backends that know the model's name. */
import { defineFilter } from '../../policy.ts';

export const servesModel = defineFilter({
  name: 'serves-model',
  looksAt: 'request',
  summary: 'The backend serves the requested model. A request without a model fits every backend.',
  accepts: (candidate, { request }) =>
    request.model === undefined || candidate.view.models.has(request.model),
});
