import { Duplex, PassThrough, Writable } from 'node:stream';
import { kubeErrorOf } from './kube-error.ts';
import type { KubeAccess } from './kubeconfig.ts';

export interface ForwardedPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/**
 * One connection to a port of a pod, by way of the API server and the kubelet. Rejects with a `KubeError` where the API server refuses it; where the
 * pod does, the stream fails with the kubelet's words. For short conversations: what arrives is not held back.
 */
export async function openPortForward({ config }: KubeAccess, { namespace, pod, port }: ForwardedPort): Promise<Duplex> {
  const { PortForward } = await import('@kubernetes/client-node');
  const toPod = new PassThrough();
  let close = (): void => {};
  const connection = new Duplex({
    read: () => {},
    write: (chunk, _encoding, done) => { toPod.write(chunk, done); },
    final: (done) => { toPod.end(); done(); },
    destroy: (error, done) => { close(); done(error); },
  });
  const fromPod = new Writable({ write: (chunk: Buffer, _encoding, done) => { if (chunk.length > 0) connection.push(chunk); done(); } });
  const refusal = new Writable({ write: (chunk: Buffer, _encoding, done) => { if (chunk.length > 0) connection.destroy(new Error(chunk.toString().trim())); done(); } });
  const socket = await new PortForward(config).portForward(namespace, pod, [port], fromPod, refusal, toPod).catch((error: unknown) => {
    throw refusalOf(error, `port-forward to ${port} of pod ${pod} in namespace ${namespace}`);
  });
  if (typeof socket === 'function') throw new Error('a connection that is not opened again is a WebSocket');
  close = () => socket.close();
  socket.on('close', () => { if (!connection.readableEnded && !connection.destroyed) connection.push(null); });
  return connection;
}

/** The WebSocket's handshake says no more than a status: `Unexpected server response: 403`. */
function refusalOf(error: unknown, what: string): Error {
  const message = (error as { readonly message?: unknown } | null)?.message;
  const text = typeof message === 'string' ? message : String(error);
  const status = /Unexpected server response: (\d+)/.exec(text)?.[1];
  return status === undefined ? new Error(`${what}: ${text}`, { cause: (error as { readonly error?: unknown }).error ?? error }) : kubeErrorOf(what, Number(status), undefined);
}
