/** Errors for people: what a caller gets on paths that are no API, if it asks for text or a page and not for JSON. */
import type { LlameroError } from './errors.ts';

export interface ErrorPage {
  readonly contentType: string;
  readonly body: string;
}

/** `accept`: the request's header. undefined: the caller takes JSON. */
export function tryErrorPage(error: LlameroError, accept: string | undefined): ErrorPage | undefined {
  if (accept?.includes('text/html') === true) {
    const text = escapeHtml(error.message);
    const body = `<!doctype html><meta charset="utf-8"><title>${error.status}</title><p>llamero: ${text}</p>\n`;
    return { contentType: 'text/html; charset=utf-8', body };
  }
  if (accept?.includes('text/plain') === true) {
    return { contentType: 'text/plain; charset=utf-8', body: `llamero: ${error.message}\n` };
  }
  return undefined;
}

/** How the caller can show who it is; a browser asks its user then. */
export function challenge(accept: string | undefined): string {
  return accept?.includes('text/html') === true ? 'Basic realm="llamero", charset="UTF-8"' : 'Bearer';
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? character);
}
