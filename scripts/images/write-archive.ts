import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Layer } from './build-layer.ts';
import { tarEnd, tarHeader, tarPadding } from './tar.ts';

export interface Image {
  /** `registry/path:tag`, in full. */
  readonly name: string;
  readonly layers: readonly Layer[];
  readonly config: ImageConfig;
}

/** `config` of an OCI image configuration: what of it Belay's images use. */
export interface ImageConfig {
  readonly Entrypoint: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly Env?: readonly string[];
  readonly Labels?: Readonly<Record<string, string>>;
}

export interface WrittenImage {
  readonly name: string;
  /** Of its manifest: what a pod's status shows as its image's id. */
  readonly digest: string;
}

interface Blob {
  readonly digest: string;
  readonly size: number;
  /** A file with the bytes, or the bytes. */
  readonly from: string | Buffer;
}

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/**
 * Writes an archive of one or several images that `ctr images import`, `kind load image-archive` (OCI image layout 1.0)
 * and `docker load` (its own manifest.json beside it) take. A layer that images share is in it once. The same images
 * give the same bytes.
 */
export function writeArchive(file: string, images: readonly Image[]): readonly WrittenImage[] {
  const blobs = new Map<string, Blob>();
  const described = images.map((image) => describeImage(image, blobs));
  const index = {
    schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: described.map(({ name, manifest }) => ({
      mediaType: manifestType, digest: manifest.digest, size: manifest.size, platform: platform(),
      annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name.slice(name.lastIndexOf(':') + 1) },
    })),
  };
  const forDocker = described.map(({ name, config, layers }) => ({ Config: blobPath(config.digest), RepoTags: [name], Layers: layers.map(({ digest }) => blobPath(digest)) }));

  mkdirSync(dirname(file), { recursive: true });
  const part = `${file}.part-${process.pid}`;
  const output = openSync(part, 'w');
  try {
    writeEntry(output, 'oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
    writeEntry(output, 'index.json', Buffer.from(JSON.stringify(index)));
    writeEntry(output, 'manifest.json', Buffer.from(JSON.stringify(forDocker)));
    for (const { digest, size, from } of blobs.values()) writeEntry(output, blobPath(digest), from, size);
    writeAll(output, tarEnd);
    renameSync(part, file);
  } finally {
    closeSync(output);
    rmSync(part, { force: true });
  }
  return described.map(({ name, manifest }) => ({ name, digest: manifest.digest }));
}

function describeImage({ name, layers, config }: Image, blobs: Map<string, Blob>): { readonly name: string; readonly manifest: Blob; readonly config: Blob; readonly layers: readonly Layer[] } {
  const add = (blob: Blob): Blob => {
    blobs.set(blob.digest, blob);
    return blob;
  };
  for (const { digest, size, file } of layers) add({ digest, size, from: file });
  const configBlob = add(jsonBlob({
    ...platform(), created: '1970-01-01T00:00:00Z',
    config: { ...config, Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...(config.Env ?? [])] },
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    history: layers.map(() => ({ created: '1970-01-01T00:00:00Z' })),
  }));
  const manifest = add(jsonBlob({
    schemaVersion: 2, mediaType: manifestType,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: configBlob.digest, size: configBlob.size },
    layers: layers.map(({ digest, size }) => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size })),
  }));
  return { name, manifest, config: configBlob, layers };
}

function platform(): { readonly os: string; readonly architecture: string } {
  return { os: 'linux', architecture: architectures[process.arch] ?? process.arch };
}

function jsonBlob(value: object): Blob {
  const from = Buffer.from(JSON.stringify(value));
  return { from, size: from.length, digest: `sha256:${createHash('sha256').update(from).digest('hex')}` };
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

function writeEntry(output: number, path: string, from: string | Buffer, size = from.length): void {
  writeAll(output, tarHeader({ path, mode: 0o644, size }));
  if (typeof from === 'string') copyFile(output, from);
  else writeAll(output, from);
  writeAll(output, tarPadding(size));
}

function copyFile(output: number, file: string): void {
  const input = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(1 << 20);
    for (let count = readSync(input, buffer); count > 0; count = readSync(input, buffer)) writeAll(output, buffer.subarray(0, count));
  } finally {
    closeSync(input);
  }
}

function writeAll(output: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) at += writeSync(output, bytes, at);
}
