/** `POST /api/copy` and `DELETE /api/delete`: done by every managed Ollama that has the model. */
import type { JsonObject } from '../../dialects/ir/request.ts';
import { mergeAnswers } from '../../dialects/ollama-surface/merge-answers.ts';
import { LlameroError } from '../../domain/errors.ts';
import type { Backend } from '../../engines/backend.ts';
import { askBackend } from './backends.ts';
import { modelIn, readJson, sendJson } from './call.ts';
import type { SurfaceCall } from './call.ts';
import { managedBackends, withoutBackends } from './managed-backends.ts';
import { answerPlan, wantsPlan } from './plan.ts';

export async function answerCopy(call: SurfaceCall): Promise<void> {
  const body = await readJson(call);
  for (const member of ['source', 'destination']) {
    if (typeof body[member] === 'string' && body[member] !== '') continue;
    throw new LlameroError('request_malformed', `${member} is required`, { param: member });
  }
  if (wantsPlan(call)) {
    await answerPlan(call, { verb: 'copy', model: String(body['destination']), body });
    return;
  }
  const backends = managedBackends(call, body);
  await askAll(call, backends, { method: 'POST', path: '/api/copy', body: withoutBackends(body) });
}

export async function answerDelete(call: SurfaceCall): Promise<void> {
  const body = await readJson(call);
  const model = modelIn(body);
  if (wantsPlan(call)) {
    await answerPlan(call, { verb: 'delete', model, body });
    return;
  }
  const backends = managedBackends(call, body);
  await askAll(call, backends, { method: 'DELETE', path: '/api/delete', body: { model } });
}

interface Order {
  readonly method: string;
  readonly path: string;
  readonly body: JsonObject;
}

async function askAll(call: SurfaceCall, backends: readonly Backend[], order: Order): Promise<void> {
  const { parts } = call;
  const answers = await Promise.all(
    backends.map(async (backend) => ({
      backend: backend.id,
      ...(await askBackend(backend, { ...order, call })),
    })),
  );
  for (const { backend } of answers) parts.registry.probeNow(backend);
  const { status, body } = mergeAnswers(answers);
  sendJson(call, status, body);
}
