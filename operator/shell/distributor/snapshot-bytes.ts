import { snapshotPieces, type Resource } from '@belay/contract';

/** Bytes of a resource's data, kept for as long as the data itself: a thousand sockets share them. */
const kept = new WeakMap<object, Buffer>();

/** A snapshot's line in two pieces; the large one is the very same buffer for every sidecar that gets the same resource. */
export function snapshotBytes(resource: Resource, nonce: string): readonly [Buffer, Buffer] {
  const { head, rest } = snapshotPieces(resource, nonce);
  let bytes = kept.get(resource.data);
  if (bytes === undefined) {
    bytes = Buffer.from(rest);
    kept.set(resource.data, bytes);
  }
  return [Buffer.from(head), bytes];
}
