import type { IncomingMessage } from 'node:http';
import type { Readable, Transform } from 'node:stream';

const decoders: { readonly [encoding: string]: (zlib: typeof import('node:zlib')) => Transform } = {
  gzip: (zlib) => zlib.createGunzip(),
  'x-gzip': (zlib) => zlib.createGunzip(),
  deflate: (zlib) => zlib.createInflate(),
  br: (zlib) => zlib.createBrotliDecompress(),
  zstd: (zlib) => zlib.createZstdDecompress(),
};

/**
 * The answer's bytes without their content-encoding (RFC 9110, 8.4: applied in the order listed), or null where one of
 * the codings is unknown. An answer that is not compressed is handed back as it is.
 */
export function decodedBody(answer: IncomingMessage): Readable | null {
  const codings = (answer.headers['content-encoding'] ?? '').toLowerCase().split(',').map((coding) => coding.trim()).filter((coding) => coding !== '' && coding !== 'identity');
  if (codings.length === 0) return answer;
  const zlib = process.getBuiltinModule('node:zlib');
  let body: Readable = answer;
  for (const coding of codings.toReversed()) {
    const create = decoders[coding];
    if (create === undefined) return null;
    const source: Readable = body;
    const decoder = create(zlib);
    source.on('error', (error) => decoder.destroy(error));
    body = source.pipe(decoder);
  }
  return body;
}
