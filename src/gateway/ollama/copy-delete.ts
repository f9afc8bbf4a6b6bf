/** `POST /api/copy` and `DELETE /api/delete`: done by every Ollama of the fleet that has the model. */
import type { JsonObject } from '../../dialects/ir/request.ts';
import { mergeAnswers } from '../../dialects/ollama-surface/merge-answers.ts';
import { LlameroError } from '../../domain/errors.ts';
import { askBackend, ollamaBackends } from './backends.ts';
import { modelIn, readJson, sendJson } from './call.ts';
import type { SurfaceCall } from './call.ts';

export async function answerCopy(call: SurfaceCall): Promise<void> {
  const body = await readJson(call);
  for (const member of ['source', 'destination']) {
    if (typeof body[member] === 'string' && body[member] !== '') continue;
    throw new LlameroError('request_malformed', `${member} is required`, { param: member });
  }
  await askAll(call, { method: 'POST', path: '/api/copy', body });
}

export async function answerDelete(call: SurfaceCall): Promise<void> {
  const body = await readJson(call);
  await askAll(call, { method: 'DELETE', path: '/api/delete', body: { model: modelIn(body) } });
}

interface Order {
  readonly method: string;
  readonly path: string;
  readonly body: JsonObject;
}

async function askAll(call: SurfaceCall, order: Order): Promise<void> {
  const { parts } = call;
  const answers = await Promise.all(
    ollamaBackends(parts).map(async (backend) => ({
      backend: backend.id,
      ...(await askBackend(backend, { ...order, call })),
    })),
  );
  for (const { backend } of answers) parts.registry.probeNow(backend);
  const { status, body } = mergeAnswers(answers);
  sendJson(call, status, body);
}
