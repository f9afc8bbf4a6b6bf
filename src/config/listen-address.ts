/** Addresses to serve on: how they are written, and whom they let in. */

export interface ListenAddress {
  /** Name or IP address without brackets; empty = all interfaces (what Node's `listen` takes for that). */
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
}

export const listenForm = 'HOST:PORT, :PORT or [::1]:PORT';

/** Throws a RangeError that says what is wrong. */
export function parseListenAddress(text: string): ListenAddress {
  const address = tryParseListenAddress(text);
  if (address === undefined) throw new RangeError(`must be ${listenForm}, is '${text}'`);
  return address;
}

export function tryParseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:(?:\[([\da-f:.]+(?:%[\w.-]+)?)\]|([A-Za-z\d._-]*)):)?(\d{1,5})$/i.exec(text);
  if (match === null) return undefined;
  const port = Number(match[3]);
  // Without a colon nobody has said that others may come in.
  return port > 65_535 ? undefined : { host: match[1] ?? match[2] ?? '127.0.0.1', port };
}

/** True when only programs on this machine can connect. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  return name === 'localhost' || name === '::1' || /^(?:::ffff:)?127\.\d+\.\d+\.\d+$/.test(name);
}

/** True when both cannot be open at once. Names are compared as they are written. */
export function addressesCollide(a: ListenAddress, b: ListenAddress): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  const [hostA, hostB] = [a.host.toLowerCase(), b.host.toLowerCase()];
  if (hostA === hostB || takesBothFamilies(hostA) || takesBothFamilies(hostB)) return true;
  return (hostA === '0.0.0.0' && !hostB.includes(':')) || (hostB === '0.0.0.0' && !hostA.includes(':'));
}

/** True when requests to this URL come in at this address. Names are not looked up. */
export function leadsTo(url: URL, address: ListenAddress): boolean {
  const port = Number(url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port);
  if (port !== address.port) return false;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isHere = isLoopback(address.host) || ['', '::', '0.0.0.0'].includes(address.host);
  return host === address.host || (isLoopback(host) && isHere);
}

function takesBothFamilies(host: string): boolean {
  return host === '' || host === '::';
}
