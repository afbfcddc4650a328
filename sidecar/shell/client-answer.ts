import type { ServerResponse } from 'node:http';
import type { Clock } from '@belay/contract';
import type { ByteSink } from './attempt.ts';

/** A client that does not read the end of a broken stream is left after this. */
const lingerMs = 5_000;

type Headers = { readonly [name: string]: string };

/** Status and headers of a stream, at its commit; later bytes go through the sink that this returns. */
export function openStream(response: ServerResponse, headers: Headers): ByteSink {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache', ...headers });
  return {
    write(bytes, onDrain) {
      if (response.write(bytes)) return true;
      response.once('drain', onDrain);
      return false;
    },
  };
}

/** The normal end of a stream. */
export function endStream(response: ServerResponse, lastBytes: readonly Uint8Array[]): void {
  response.end(Buffer.concat(lastBytes));
}

/**
 * The end of a broken stream: the error event, flushed, then the connection closed without HTTP's normal end, so that no
 * client takes it for whole; no reset, which would discard the event.
 */
export function breakStream(response: ServerResponse, errorEvent: Uint8Array, clock: Clock): void {
  const { socket } = response;
  if (socket === null) return;
  const disarm = clock.after(lingerMs, () => socket.destroy());
  socket.once('close', disarm);
  response.write(errorEvent, () => socket.destroySoon());
}

/** A whole answer at once. */
export function sendWhole(response: ServerResponse, status: number, headers: Headers, body: string): void {
  response.writeHead(status, { ...headers, 'content-length': String(Buffer.byteLength(body)) });
  response.end(body);
}

/** A header's value: anything but printable ASCII becomes `?` (RFC 9110, 5.5). */
export function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
