/**
 * `HEAD` and `POST /api/blobs/DIGEST`: files that models are created from, for every managed Ollama. A file is
 * never held: it passes through as fast as the slowest backend takes it.
 */
import { createHash } from 'node:crypto';
import { mergeAnswers } from '../../dialects/ollama-surface/merge-answers.ts';
import type { BackendAnswer } from '../../dialects/ollama-surface/merge-answers.ts';
import { LlameroError } from '../../domain/errors.ts';
import { askBackend } from './backends.ts';
import { BlobUpload } from './blob-upload.ts';
import { sendJson } from './call.ts';
import type { SurfaceCall } from './call.ts';
import { managedBackends } from './managed-backends.ts';

const digestForm = /^sha256[:-](?<hex>[0-9a-f]{64})$/;

/** 200 when all have it: only then can all create a model of it. */
export async function answerBlobHead(call: SurfaceCall): Promise<void> {
  const { rest: digest } = call;
  hexOf(digest);
  const question = { method: 'HEAD', path: `/api/blobs/${digest}`, call };
  const answers = await Promise.all(managedBackends(call).map((backend) => askBackend(backend, question)));
  sendJson(call, answers.every(({ status }) => status === 200) ? 200 : 404, undefined);
}

export async function answerBlobUpload(call: SurfaceCall): Promise<void> {
  const { request, response, rest: digest } = call;
  const expected = hexOf(digest);
  const uploads = managedBackends(call).map((backend) => new BlobUpload(backend, call));
  const abort = (): void => {
    for (const upload of uploads) upload.abort();
  };
  // A client that leaves must not leave half a file behind.
  response.once('close', abort);
  const hash = createHash('sha256');
  for await (const chunk of request as AsyncIterable<Buffer>) {
    hash.update(chunk);
    await Promise.all(uploads.map((upload) => upload.write(chunk)));
  }
  const found = hash.digest('hex');
  if (found !== expected) {
    abort();
    const message = `digest mismatch, expected "sha256:${expected}", got "sha256:${found}"`;
    throw new LlameroError('request_malformed', message);
  }
  const answers: BackendAnswer[] = await Promise.all(uploads.map((upload) => upload.finish()));
  const { status, body } = mergeAnswers(answers);
  const isNew = answers.some((answer) => answer.status === 201);
  sendJson(call, status === 200 && isNew ? 201 : status, body);
}

/** Whether a text is the name of a file, as Ollama takes it in paths. */
export function isDigest(text: string): boolean {
  return digestForm.test(text);
}

function hexOf(digest: string): string {
  const hex = digestForm.exec(digest)?.groups?.['hex'];
  if (hex !== undefined) return hex;
  throw new LlameroError('request_malformed', 'invalid digest format', { param: 'digest' });
}
