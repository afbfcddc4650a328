import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { isIPv6 } from 'node:net';
import { authorizationHeader, frameReader, maxServerFrameLength, parseServerFrame, streamContentType, streamPath, type Parsed, type ReceivedServerFrame } from '@belay/contract';
import { lossFromNode, type StreamLoss } from '../failure-from-node.ts';

/** Whom to call, and with what. */
export interface StreamAddress {
  readonly host: string;
  readonly port: number;
  /** As it stands after `Bearer `. */
  readonly token: string;
  /** PEM bundles, trusted together and nothing beside them. */
  readonly authorities: readonly string[];
}

export interface StreamListener {
  /** Answered 200. */
  readonly onConnected: () => void;
  readonly onFrame: (frame: Parsed<ReceivedServerFrame>) => void;
  /** Once, and nothing after it; never after `close`. */
  readonly onLost: (loss: StreamLoss) => void;
}

/** One connection to a distributor, with the one stream on it. */
export interface ControlStream {
  send(line: string): void;
  /** What was sent waits for the other side to read. */
  isCongested(): boolean;
  /** Ends it at once; nothing is told. */
  close(): void;
}

/** `POST /v1/stream` over HTTP/2 and TLS 1.3 (control-plane: Distribution). Never throws: what goes wrong is told to `onLost`, at the earliest in a later turn. */
export function openStream(address: StreamAddress, listener: StreamListener): ControlStream {
  let over = false;
  let up: Connection | null = null;
  const lose = (loss: StreamLoss): void => {
    if (over) return;
    over = true;
    up?.session.destroy();
    listener.onLost(loss);
  };
  const told = { ...listener, onLost: lose, onFrame: (frame: Parsed<ReceivedServerFrame>) => { if (!over) listener.onFrame(frame); } };
  try {
    up = call(address, told);
  } catch (error) {
    const loss = lossFromNode(error);
    queueMicrotask(() => lose(loss));
  }
  return {
    send: (line) => { if (!over) up?.stream.write(line); },
    isCongested: () => up?.stream.writableNeedDrain ?? false,
    close() {
      over = true;
      up?.session.destroy();
    },
  };
}

interface Connection {
  readonly session: ClientHttp2Session;
  readonly stream: ClientHttp2Stream;
}

/** Error listeners stay for good: Node tells of some errors only after a session was destroyed. */
function call({ host, port, token, authorities }: StreamAddress, { onConnected, onFrame, onLost }: StreamListener): Connection {
  const session = connect(`https://${isIPv6(host) ? `[${host}]` : host}:${port}`, { ca: [...authorities], minVersion: 'TLSv1.3', settings: { enablePush: false } });
  const failed = (error: unknown): void => onLost(lossFromNode(error));
  session.on('error', failed);
  session.on('connect', (_session, socket) => {
    if ('setNoDelay' in socket) socket.setNoDelay(true);
  });
  const stream = session.request({ ':method': 'POST', ':path': streamPath, [authorizationHeader]: `Bearer ${token}`, 'content-type': streamContentType }, { endStream: false });
  const ended = (detail: string) => (): void => onLost({ cause: 'Other', detail });
  session.on('goaway', (_code, lastStream) => {
    // One that it never took; one that it did take runs on until it ends.
    if (stream.id !== undefined && lastStream < stream.id) onLost({ cause: 'Other', detail: 'it takes no more streams (GOAWAY)' });
  });
  session.on('close', ended('it was closed'));
  stream.on('error', failed);
  stream.on('response', ({ ':status': status }) => {
    if (status === 200) onConnected();
    else onLost({ cause: status === 401 ? 'Unauthorized' : 'Other', detail: `it answered ${status}` });
  });
  const read = frameReader(parseServerFrame, maxServerFrameLength);
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => read(text).forEach(onFrame));
  stream.on('end', ended('it ended the stream'));
  stream.on('close', ended('the stream was closed'));
  return { session, stream };
}
