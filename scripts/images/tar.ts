/** One entry of a tar archive. Times are always 0 and owners numbers: the same entries give the same bytes. */
export interface TarEntry {
  /** Relative, without `./`; a folder's ends with `/`. At most 100 bytes, or 255 where a `/` splits it. */
  readonly path: string;
  readonly mode: number;
  /** Owner and group. */
  readonly uid?: number;
  /** Bytes of a file; 0 for a folder. */
  readonly size: number;
}

const block = 512;

/** Header of one entry, in the ustar format (POSIX.1-1988). */
export function tarHeader({ path, mode, uid = 0, size }: TarEntry): Buffer {
  const header = Buffer.alloc(block);
  const [prefix, name] = splitPath(path);
  header.write(name, 0);
  writeOctal(header, mode, 100, 8);
  writeOctal(header, uid, 108, 8);
  writeOctal(header, uid, 116, 8);
  writeOctal(header, size, 124, 12);
  writeOctal(header, 0, 136, 12);
  header.write('        ', 148);
  header.write(path.endsWith('/') ? '5' : '0', 156);
  header.write('ustar\u000000', 257);
  header.write(prefix, 345);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** What follows a file of this size up to the next block. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((block - (size % block)) % block);
}

/** Ends an archive. */
export const tarEnd = Buffer.alloc(2 * block);

function writeOctal(header: Buffer, value: number, at: number, length: number): void {
  const digits = value.toString(8).padStart(length - 1, '0');
  if (digits.length >= length) throw new Error(`${value} is too large for a tar header`);
  header.write(`${digits}\0`, at);
}

function splitPath(path: string): readonly [prefix: string, name: string] {
  if (Buffer.byteLength(path) <= 100) return ['', path];
  for (let slash = path.indexOf('/'); slash > 0 && slash < path.length - 1; slash = path.indexOf('/', slash + 1)) {
    const [prefix, name] = [path.slice(0, slash), path.slice(slash + 1)];
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100) return [prefix, name];
  }
  throw new Error(`the path ${path} is too long for a tar archive`);
}
