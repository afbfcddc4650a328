import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders } from 'node:http2';
import { encodeFrame, frameReader, maxServerFrameLength, parseServerFrame, streamContentType, streamPath, type ClientFrame, type HelloFrame, type ReceivedServerFrame, type ReceivedSnapshot } from '@belay/contract';

export interface StreamClientOptions {
  readonly port: number;
  readonly ca: string;
  readonly token?: string;
  readonly headers?: OutgoingHttpHeaders;
}

/** A sidecar's end of a stream, as bare as can be: what a test says, and everything that came. */
export interface StreamClient {
  /** Of the answer; 0: none came. */
  readonly status: Promise<number>;
  /** Resolves, with everything that came as text, when the stream has ended. */
  readonly ended: Promise<string>;
  readonly frames: readonly ReceivedServerFrame[];
  readonly session: ClientHttp2Session;
  readonly stream: ClientHttp2Stream;
  send(frame: ClientFrame): void;
  /** Every snapshot is acked from now on. */
  ackAll(): void;
  /** The newest snapshot of a type; undefined: none yet. */
  newest<T extends ReceivedSnapshot['type']>(type: T): Extract<ReceivedSnapshot, { readonly type: T }> | undefined;
  close(): void;
}

export function helloOf(pod: string, uid: string, more: Partial<HelloFrame> = {}): HelloFrame {
  return { frame: 'hello', pod, uid, chains: ['*'], have: { endpoints: null, keys: null, hints: null, table: null }, protocol: 1, schemaVersions: [1], ...more };
}

export function openStream({ port, ca, token, headers = {} }: StreamClientOptions): StreamClient {
  const session = connect(`https://127.0.0.1:${port}`, { ca, servername: 'localhost' });
  const stream = session.request({ ':method': 'POST', ':path': streamPath, 'content-type': streamContentType, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers }, { endStream: false });
  const frames: ReceivedServerFrame[] = [];
  const read = frameReader(parseServerFrame, maxServerFrameLength);
  let text = '';
  let acks = false;
  const send = (frame: ClientFrame): void => { if (!stream.destroyed) stream.write(encodeFrame(frame)); };
  session.on('error', () => undefined);
  stream.on('error', () => undefined);
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    for (const frame of read(chunk)) {
      if (!frame.ok) continue;
      frames.push(frame.value);
      if (acks && frame.value.frame === 'snapshot') send({ frame: 'ack', nonce: frame.value.nonce });
    }
  });
  const status = new Promise<number>((resolve) => {
    stream.once('response', (answer) => resolve(Number(answer[':status'])));
    stream.once('close', () => resolve(0));
  });
  const snapshots = (): readonly ReceivedSnapshot[] => frames.flatMap((frame) => (frame.frame === 'snapshot' ? [frame] : []));
  return {
    status, frames, session, stream, send,
    ended: new Promise((resolve) => stream.once('close', () => resolve(text))),
    ackAll() {
      acks = true;
      for (const { nonce } of snapshots()) send({ frame: 'ack', nonce });
    },
    newest: <T extends ReceivedSnapshot['type']>(type: T) => snapshots().findLast((frame): frame is Extract<ReceivedSnapshot, { readonly type: T }> => frame.type === type),
    close() {
      stream.close(constants.NGHTTP2_CANCEL);
      session.destroy();
    },
  };
}
