/** What an `Upgrade` header asks for. */

/** The header is a list of protocols, in any case; only one of them is passed on. */
export function namesWebSocket(upgrade: string | undefined): boolean {
  return upgrade?.split(',').some((protocol) => protocol.trim().toLowerCase() === 'websocket') === true;
}
