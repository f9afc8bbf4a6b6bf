/** Tells a fault of this machine from one of the server that it wanted to reach. */

/** No file descriptors in this process or on this machine, no ports, no memory for sockets. */
const shortages: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM']);

/** `code`: of a system error. True: nobody was asked, so nothing was learnt of whoever should have been. */
export function isOwnShortage(code: string | undefined): boolean {
  return code !== undefined && shortages.has(code);
}
