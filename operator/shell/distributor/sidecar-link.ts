import { encodeFrame, frameReader, maxClientFrameLength, parseClientFrame, streamContentType, type ClientFrame, type Parsed, type Resource, type ServerFrame, type SnapshotFrame } from '@belay/contract';
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { DistributorCounters } from './distributor-counters.ts';
import { snapshotBytes } from './snapshot-bytes.ts';

/** One stream that was answered 200. */
export interface SidecarLink {
  sendSnapshot(resource: Resource, nonce: string): void;
  send(frame: Exclude<ServerFrame, SnapshotFrame>): void;
  /** What was written and has not left for the socket. */
  bufferedBytes(): number;
  /** At once, whatever is under way. */
  close(): void;
}

export interface SidecarLinkEvents {
  /** Before what was read is looked at. */
  readonly onRead: (characters: number) => void;
  readonly onFrame: (frame: Parsed<ClientFrame>) => void;
  /** More fits into its socket again. */
  readonly onDrained: () => void;
  /** Called once. */
  readonly onClosed: () => void;
}

/** Answers 200, and carries frames both ways. Nothing is read while `onFrame` has not returned. */
export function openSidecarLink(stream: ServerHttp2Stream, counters: DistributorCounters, { onRead, onFrame, onDrained, onClosed }: SidecarLinkEvents): SidecarLink {
  const read = frameReader(parseClientFrame, maxClientFrameLength);
  const { session } = stream;
  stream.respond({ ':status': 200, 'content-type': streamContentType });
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    onRead(chunk.length);
    if (!stream.destroyed) read(chunk).forEach(onFrame);
  });
  stream.on('drain', onDrained);
  // A sidecar that says no more is gone: it never half-closes.
  stream.on('end', () => stream.close(constants.NGHTTP2_NO_ERROR));
  stream.once('close', onClosed);
  const write = (chunk: string | Buffer): void => {
    if (stream.destroyed || stream.writableEnded) return;
    stream.write(chunk);
    counters.bytesPushed += chunk.length;
  };
  return {
    sendSnapshot(resource, nonce) {
      counters.pushes[resource.type] += 1;
      // One frame of HTTP/2 and one record of TLS, where it is small.
      stream.cork();
      snapshotBytes(resource, nonce).forEach(write);
      stream.uncork();
    },
    send: (frame) => write(encodeFrame(frame)),
    bufferedBytes: () => stream.writableLength,
    close: () => session?.destroy(),
  };
}

/** A status other than 200 and its sentence. */
export function refuseStream(stream: ServerHttp2Stream, { status, message }: { readonly status: number; readonly message: string }, counters: DistributorCounters): void {
  counters.refused[status] = (counters.refused[status] ?? 0) + 1;
  // Whatever the request still says is thrown away.
  stream.resume();
  if (stream.destroyed || stream.headersSent) return;
  stream.respond({ ':status': status, 'content-type': 'text/plain; charset=utf-8', ...(status === 405 ? { allow: 'POST' } : {}) });
  stream.end(`${message}\n`);
  stream.close(constants.NGHTTP2_NO_ERROR);
}
