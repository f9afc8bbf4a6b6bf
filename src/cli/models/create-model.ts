/**
 * `llamero models create`: a model made of another one or of files of this machine, which the router gets first. A file is
 * read twice and never held.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { RouterFault } from '../router/router-request.ts';
import { bytesText } from '../top/figures.ts';
import { changeWithProgress, openProgress } from './change-models.ts';
import { askToDo, pathWith, type ModelsCall } from './models-call.ts';
import type { ProgressView } from './progress-view.ts';

/** A file that is named cannot be read. */
export class FileFault extends Error {
  override readonly name = 'FileFault';
}

interface LocalFile {
  /** As the model is to know it. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  /** `sha256:` and the hash, as Ollama names files. */
  readonly digest: string;
}

/** Rejects with FileFault, or as every change of a model. */
export async function createModel(call: ModelsCall): Promise<void> {
  const { names, plan, recipe } = call.flags;
  const { from, system, template, quantize, parameters } = recipe;
  const [model = ''] = names;
  const view = openProgress(call);
  const files = await readFiles(call, recipe.files, view);
  const adapters = await readFiles(call, recipe.adapters, view);
  if (plan) view.end();
  for (const file of [...files, ...adapters]) {
    if (await isThere(call, file)) continue;
    if (plan) call.io.stderr(`${file.name} would be sent first, ${bytesText(file.bytes)}\n`);
    else await send(call, file, view);
  }
  const body = {
    model,
    ...(from !== undefined && { from }),
    ...(system !== undefined && { system }),
    ...(template !== undefined && { template }),
    ...(quantize !== undefined && { quantize }),
    ...(Object.keys(parameters).length > 0 && { parameters }),
    // A plan would fail for what is not sent yet, and the call itself sends it.
    ...(!plan && files.length > 0 && { files: digests(files) }),
    ...(!plan && adapters.length > 0 && { adapters: digests(adapters) }),
  };
  await changeWithProgress(call, { verb: 'create', body, done: 'was created on', view });
}

async function readFiles(
  { io, signal }: ModelsCall,
  paths: readonly string[],
  view: ProgressView,
): Promise<readonly LocalFile[]> {
  const files: LocalFile[] = [];
  for (const named of paths) {
    const path = resolve(io.cwd, named);
    const name = basename(path);
    if (files.some((file) => file.name === name)) throw new FileFault(`two files are called ${name}`);
    const hash = createHash('sha256');
    try {
      const { size: bytes } = await stat(path);
      const total = { status: `reading ${name}`, digest: `reading ${path}`, total: bytes };
      for await (const piece of piecesOf(path, (completed) => view.show({ ...total, completed }))) {
        signal.throwIfAborted();
        hash.update(piece);
      }
      files.push({ name, path, bytes, digest: `sha256:${hash.digest('hex')}` });
    } catch (error) {
      signal.throwIfAborted();
      throw new FileFault(`cannot read ${named}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return files;
}

/** Whether all have it. A refusal counts as no: it has no body, and the next request is told the reason. */
async function isThere(call: ModelsCall, { digest }: LocalFile): Promise<boolean> {
  try {
    await askToDo(call, { method: 'HEAD', path: blobPath(call, digest) });
    return true;
  } catch (error) {
    if (error instanceof RouterFault && error.status !== undefined) return false;
    throw error;
  }
}

async function send(
  call: ModelsCall,
  { name, path, bytes, digest }: LocalFile,
  view: ProgressView,
): Promise<void> {
  const total = { status: `sending ${name}`, digest: `sending ${path}`, total: bytes };
  const file = piecesOf(path, (completed) => view.show({ ...total, completed }));
  await askToDo(call, { method: 'POST', path: blobPath(call, digest), file });
}

async function* piecesOf(path: string, onBytes: (completed: number) => void): AsyncGenerator<Buffer> {
  let completed = 0;
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
    yield piece;
    completed += piece.length;
    onBytes(completed);
  }
}

function blobPath(call: ModelsCall, digest: string): string {
  return pathWith(call, `api/blobs/${digest}`);
}

function digests(files: readonly LocalFile[]): Readonly<Record<string, string>> {
  return Object.fromEntries(files.map(({ name, digest }) => [name, digest]));
}
