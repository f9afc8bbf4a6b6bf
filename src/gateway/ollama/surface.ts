/**
 * Ollama's API beside text: lists of models, what is known of one, and the verbs that change what Ollamas keep. The table
 * of its routes; what each does is in the files beside. Text and vectors go through the queue like all others.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { psBody, psDetailsBody, tagsBody } from '../../dialects/ollama-surface/listing.ts';
import { LlameroError } from '../../domain/errors.ts';
import { isOtherSite } from '../../domain/other-site.ts';
import type { KeyRules } from '../../keys/key-rules.ts';
import type { GatewayParts } from '../gateway.ts';
import { findLoop } from '../loop-guard.ts';
import { answerBlobHead, answerBlobUpload } from './blobs.ts';
import { sendFailure, sendJson } from './call.ts';
import type { SurfaceCall } from './call.ts';
import { answerCopy, answerDelete } from './copy-delete.ts';
import { modelFacts, momentOf, runningModels } from './model-facts.ts';
import { answerProgress } from './progress.ts';
import { answerShow } from './show.ts';

type Handler = (call: SurfaceCall) => void | Promise<void>;

const tags: Handler = (call) =>
  sendJson(call, 200, tagsBody(modelFacts(call.parts, call.key), momentOf(call.parts)));
const ps: Handler = (call) =>
  sendJson(call, 200, psBody(modelFacts(call.parts, call.key), momentOf(call.parts)));

const psDetails: Handler = (call) =>
  sendJson(call, 200, psDetailsBody(runningModels(call.parts, call.key), momentOf(call.parts)));

/** By path, then by method. */
const routes: ReadonlyMap<string, Readonly<Record<string, Handler>>> = new Map([
  ['/api/tags', { GET: tags, HEAD: tags }],
  ['/api/ps', { GET: ps, HEAD: ps }],
  ['/api/ps_details', { GET: psDetails, HEAD: psDetails }],
  ['/api/show', { POST: answerShow }],
  ['/api/pull', { POST: (call: SurfaceCall) => answerProgress(call, 'pull') }],
  ['/api/push', { POST: (call: SurfaceCall) => answerProgress(call, 'push') }],
  ['/api/create', { POST: (call: SurfaceCall) => answerProgress(call, 'create') }],
  ['/api/copy', { POST: answerCopy }],
  ['/api/delete', { DELETE: answerDelete }],
]);
const blobStart = '/api/blobs/';
const blobRoutes: Readonly<Record<string, Handler>> = { HEAD: answerBlobHead, POST: answerBlobUpload };

/** A page of any site may see which models there are, as on `/v1/models`. */
const openPaths: ReadonlySet<string> = new Set(['/api/tags', '/api/ps']);
/** Asks with a body, but changes nothing. */
const readingPosts: ReadonlySet<string> = new Set(['/api/show']);

/** Answers a request that has passed authentication. False when the path is none of these; then nothing was answered. */
export type OllamaSurface = (
  request: IncomingMessage,
  response: ServerResponse,
  key: KeyRules | undefined,
) => boolean;

/** Whether callers of a path speak Ollama's API. */
export function isSurfacePath(path: string): boolean {
  return routes.has(path) || path.startsWith(blobStart);
}

export function createOllamaSurface(parts: GatewayParts): OllamaSurface {
  return (request, response, key) => {
    const [path = '/'] = (request.url ?? '/').split('?', 1);
    const isBlob = path.startsWith(blobStart);
    const handlers = isBlob ? blobRoutes : routes.get(path);
    if (handlers === undefined) return false;
    const id = String(response.getHeader('x-request-id') ?? '');
    const call: SurfaceCall = {
      parts,
      request,
      response,
      key,
      id,
      rest: isBlob ? path.slice(blobStart.length) : '',
    };
    void answer(call, path, handlers);
    return true;
  };
}

async function answer(
  call: SurfaceCall,
  path: string,
  handlers: Readonly<Record<string, Handler>>,
): Promise<void> {
  const { request, response } = call;
  const { method = 'GET', headers } = request;
  const handler = handlers[method];
  try {
    if (handler === undefined) {
      const allow = Object.keys(handlers).join(', ');
      response.setHeader('allow', allow);
      throw new LlameroError('method_not_allowed', `${path} takes ${allow}`);
    }
    if (openPaths.has(path) && headers.origin !== undefined) {
      response.setHeader('access-control-allow-origin', headers.origin);
      response.setHeader('vary', 'origin');
    }
    if (method !== 'GET' && method !== 'HEAD' && !readingPosts.has(path)) refuseOtherSites(headers);
    const loop = findLoop(request.rawHeaders, call.parts.signature);
    if (loop !== undefined) throw loop;
    await handler(call);
  } catch (thrown) {
    sendFailure(call, thrown);
  }
}

function refuseOtherSites(headers: IncomingMessage['headers']): void {
  const site = headers['sec-fetch-site'];
  const from = { site: site?.toString(), origin: headers.origin, host: headers.host };
  if (!isOtherSite(from)) return;
  throw new LlameroError('other_site_refused', 'A page of another site may not change anything here');
}
