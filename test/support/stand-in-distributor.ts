import { createSecureServer, type Http2SecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { bearerToken, encodeFrame, encodeSnapshot, frameReader, maxClientFrameLength, parseClientFrame, streamPath, type ClientFrame, type HelloFrame, type ReportFrame, type Resource, type ServerFrame } from '@belay/contract';
import { testCertificate, testKey } from './test-certificates.ts';

export interface DistributorOptions {
  /** What a sidecar gets once it has said hello, in this order; may be changed with `publish`. */
  readonly resources?: readonly Resource[];
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Status of the answer; default 200. */
  readonly answer?: (token: string | null, number: number) => number;
  readonly host?: string;
}

/** One stream as the stand-in sees it. */
export interface SidecarStream {
  readonly token: string | null;
  readonly frames: readonly ClientFrame[];
  /** Lines that are no frames. */
  readonly refused: readonly string[];
  readonly isOver: () => boolean;
  readonly stream: ServerHttp2Stream;
  readonly session: ServerHttp2Session;
}

/** A distributor of a test, on a free port of loopback: written on `contract/wire` alone. */
export interface StandInDistributor {
  readonly port: number;
  /** In the order in which they came, those that were refused among them. */
  readonly streams: readonly SidecarStream[];
  readonly current: () => SidecarStream | undefined;
  readonly frames: <T extends ClientFrame['frame']>(frame: T) => readonly Extract<ClientFrame, { frame: T }>[];
  readonly hello: () => HelloFrame | undefined;
  readonly lastReport: () => ReportFrame | undefined;
  /** To every open stream now, and to every later hello. Resolves to nothing: acks are among the frames. */
  publish(...resources: readonly Resource[]): void;
  send(frame: ServerFrame): void;
  /** Bytes as they are. */
  write(text: string): void;
  useCertificate(tls: { readonly cert: string; readonly key: string }): void;
  /** Takes no connections, and cuts those there are. */
  kill(): Promise<void>;
  /** Again at the same port. */
  listen(): Promise<void>;
}

export async function createStandInDistributor({ resources = [], tls = { cert: testCertificate, key: testKey }, answer = () => 200, host = '127.0.0.1' }: DistributorOptions = {}): Promise<StandInDistributor> {
  const streams: (SidecarStream & { frames: ClientFrame[]; refused: string[] })[] = [];
  const sessions = new Set<ServerHttp2Session>();
  const published = new Map(resources.map((resource) => [resource.type, resource]));
  let certificate = tls;
  let server: Http2SecureServer | null = null;
  let port = 0;
  let nonce = 0;
  const open = () => streams.filter(({ isOver, stream }) => !isOver() && stream.headersSent && stream.sentHeaders[':status'] === 200);
  const snapshot = (stream: ServerHttp2Stream, resource: Resource): void => void stream.write(encodeSnapshot(resource, String(nonce += 1)));

  function onStream(stream: ServerHttp2Stream, headers: { readonly [name: string]: unknown }): void {
    const token = bearerToken(headers['authorization']);
    let over = false;
    const seen = { token, frames: [] as ClientFrame[], refused: [] as string[], isOver: () => over, stream, session: stream.session as ServerHttp2Session };
    streams.push(seen);
    stream.on('error', () => (over = true)).on('close', () => (over = true));
    const status = headers[':path'] === streamPath && headers[':method'] === 'POST' ? answer(token, streams.length) : 404;
    stream.respond({ ':status': status }, { endStream: status !== 200 });
    if (status !== 200) return;
    const read = frameReader(parseClientFrame, maxClientFrameLength);
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      for (const frame of read(text)) {
        if (!frame.ok) {
          seen.refused.push(JSON.stringify(frame.problems));
          continue;
        }
        seen.frames.push(frame.value);
        if (frame.value.frame === 'hello') for (const resource of published.values()) snapshot(stream, resource);
      }
    });
  }

  async function listen(): Promise<void> {
    const made = createSecureServer({ ...certificate, minVersion: 'TLSv1.3' });
    server = made;
    made.on('session', (session) => {
      sessions.add(session);
      session.on('close', () => sessions.delete(session));
    });
    made.on('sessionError', () => undefined);
    made.on('stream', onStream);
    await new Promise<void>((resolve, reject) => made.once('error', reject).listen(port, host, resolve));
    port = (made.address() as AddressInfo).port;
  }

  async function kill(): Promise<void> {
    if (server?.listening !== true) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    for (const session of sessions) session.destroy();
    await promise;
  }

  await listen();
  const frames = <T extends ClientFrame['frame']>(frame: T) => streams.flatMap((seen) => seen.frames).filter((one): one is Extract<ClientFrame, { frame: T }> => one.frame === frame);
  return {
    port,
    streams,
    current: () => open().at(-1),
    frames,
    hello: () => frames('hello').at(-1),
    lastReport: () => frames('report').at(-1),
    publish(...changed) {
      for (const resource of changed) {
        published.set(resource.type, resource);
        for (const { stream } of open()) snapshot(stream, resource);
      }
    },
    send: (frame) => open().forEach(({ stream }) => stream.write(encodeFrame(frame))),
    write: (text) => open().forEach(({ stream }) => stream.write(text)),
    useCertificate(next) {
      certificate = next;
      server?.setSecureContext({ ...next, minVersion: 'TLSv1.3' });
    },
    kill,
    listen,
  };
}
