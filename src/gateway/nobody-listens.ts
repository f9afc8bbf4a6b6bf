/** Tells a dead engine from a broken connection: does anybody still accept at its port? */
import { connect } from 'node:net';

/** A refusal on a local network comes within milliseconds; silence counts as alive. */
const answerMsMax = 1000;
/** A process that is being killed closes its connections one by one and may still accept for a moment. */
const pausesMs = [0, 50, 200];

/** True when the port refuses connections, so that nothing can be computing there any more. Never rejects. */
export async function nobodyListens(url: URL): Promise<boolean> {
  for (const pauseMs of pausesMs) {
    await new Promise((resolve) => {
      setTimeout(resolve, pauseMs);
    });
    if (await isRefused(url)) return true;
  }
  return false;
}

function isRefused(url: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
    const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ''), port });
    const settle = (refused: boolean) => {
      socket.destroy();
      resolve(refused);
    };
    socket.setTimeout(answerMsMax, () => settle(false));
    socket.once('connect', () => settle(false));
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code === 'ECONNREFUSED'));
  });
}
