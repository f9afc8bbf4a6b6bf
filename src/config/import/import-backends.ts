/** Backends of an import: their names, their URLs as Llamero writes them, and URLs that it does not take. */
import { isLoopback, leadsTo, tryParseListenAddress } from '../listen-address.ts';
import { shownText } from '../problems.ts';
import type { Draft } from './draft.ts';
import type { Setting } from './foreign-key.ts';

export interface FoundBackend {
  /** Where the URL is written. */
  readonly from: Setting;
  readonly url: URL;
}

/** Why a text is no URL of a backend, or the URL. A user or password in it is told, and left out. */
export function tryBackendUrl(from: Setting, text: string, draft: Draft): URL | undefined {
  const refuse = (why: string): undefined => {
    draft.note(from.key, from.at, why);
  };
  if (!/^https?:\/\//i.test(text.trim()) || !URL.canParse(text)) {
    return refuse('not a URL that begins with http:// or https://');
  }
  const url = new URL(text);
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(text)) {
    return refuse('a backend has no query and no fragment in its URL: give a key as apiKey of the backend');
  }
  if (url.username !== '' || url.password !== '') {
    url.username = '';
    url.password = '';
    draft.note(
      from.key,
      from.at,
      'user and password in a URL are not sent: give a key as apiKey of the backend',
    );
  }
  return url;
}

/** The URL without the slashes at its end. */
export function textOfUrl(url: URL): string {
  return url.href.replace(/\/+$/, '');
}

/** The same URL without `/v1` at its end, which Llamero puts there by itself; undefined where it is elsewhere or missing. */
export function tryWithoutV1(url: URL): URL | undefined {
  const match = /^(.*)\/v1\/*$/.exec(url.pathname);
  if (match === null) return undefined;
  const base = new URL(url);
  base.pathname = match[1] ?? '';
  return base;
}

/** Gives every backend a name after its host and port. */
export class BackendNames {
  readonly #taken = new Set<string>();

  nameFor(url: URL): string {
    const host = url.hostname
      .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
    const base = [host === '' ? 'backend' : host, url.port].filter((part) => part !== '').join('-');
    let name = base;
    for (let number = 2; this.#taken.has(name); number += 1) name = `${base}-${number}`;
    this.#taken.add(name);
    return name;
  }
}

/** Leaves out what is there twice and what leads back to the router itself. */
export function usableBackends<Found extends FoundBackend>(
  found: readonly Found[],
  listen: string,
  draft: Draft,
): Found[] {
  const seen = new Set<string>();
  const address = tryParseListenAddress(listen);
  return found.filter(({ from, url }) => {
    const text = textOfUrl(url);
    if (seen.has(text)) {
      draft.note(from.key, from.at, `${shownText(text)} is there already`);
      return false;
    }
    if (address !== undefined && leadsTo(url, address)) {
      draft.note(from.key, from.at, `${shownText(text)} is the address of the router itself (${listen})`);
      return false;
    }
    seen.add(text);
    return true;
  });
}

/** Host and port as an address to listen on; undefined when they are none. */
export function tryListenText(host: string, port: number): string | undefined {
  const address = `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
  return tryParseListenAddress(address) === undefined ? undefined : address;
}

/** Adds what decides who may connect: a router that listens to other machines has keys or says that it needs none. */
export function setListen(
  draft: Draft,
  listen: { readonly address: string; readonly comment: string; readonly isOpen: boolean },
): void {
  draft.set(['listen'], listen.address, listen.comment);
  const { host = '' } = tryParseListenAddress(listen.address) ?? {};
  if (!listen.isOpen || isLoopback(host)) return;
  draft.set(
    ['allowUnauthenticated'],
    true,
    'anybody who reaches this address can use it, as before: better give out apiKeys',
  );
}
