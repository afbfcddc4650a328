import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '@belay/contract';
import { describeListenError } from './failure-from-node.ts';

/** An HTTP server with an orderly end. */
export interface GracefulServer {
  /** Resolves to the port; rejects with an Error whose message is one sentence. */
  listen(address: string, port: number): Promise<number>;
  /** Stops accepting, lets running answers end for at most `graceMs`, then destroys what is left. */
  close(graceMs: number): Promise<void>;
}

/** `onError`: what goes wrong while it listens, such as too many open files; it listens on. */
export function createGracefulServer(server: Server, clock: Clock, onError: (error: Error) => void): GracefulServer {
  const answering = new Set<ServerResponse>();
  let closing = false;
  const track = (_request: IncomingMessage, response: ServerResponse): void => {
    answering.add(response);
    if (closing) response.shouldKeepAlive = false;
    response.once('close', () => {
      answering.delete(response);
      // Node would keep the idle connection, and with it the server, for the whole keep-alive time.
      if (closing) server.closeIdleConnections();
    });
  };
  server.prependListener('request', track);
  if (server.listenerCount('checkContinue') > 0) server.prependListener('checkContinue', track);
  return {
    listen: (address, port) => new Promise((resolve, reject) => {
      const refuse = (error: Error): void => reject(new Error(describeListenError(error, address, port), { cause: error }));
      server.once('error', refuse);
      server.listen(port, address, () => {
        server.off('error', refuse);
        server.on('error', onError);
        resolve((server.address() as AddressInfo).port);
      });
    }),
    close: (graceMs) => new Promise((resolve) => {
      closing = true;
      for (const response of answering) response.shouldKeepAlive = false;
      const disarm = clock.after(graceMs, () => server.closeAllConnections());
      server.close(() => {
        disarm();
        resolve();
      });
      if (graceMs === 0) server.closeAllConnections();
      else server.closeIdleConnections();
    }),
  };
}
