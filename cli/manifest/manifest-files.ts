import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ManifestFile } from './read-manifests.ts';

/** What `-f` found: texts to read, and a sentence for each path that cannot be. */
export interface FoundManifests {
  readonly files: readonly ManifestFile[];
  readonly faults: readonly { readonly file: string; readonly message: string }[];
}

const manifestName = /\.(json|ya?ml)$/;

/**
 * Reads what `-f` names, as kubectl does: a file of any name; a directory's own *.yaml, *.yml and *.json in the order of
 * their names, without its subdirectories; `-` for standard input.
 */
export function findManifests(paths: readonly string[]): FoundManifests {
  const files: ManifestFile[] = [];
  const faults: { file: string; message: string }[] = [];
  for (const path of paths) {
    try {
      for (const name of namesUnder(path)) files.push(textOf(name));
    } catch (error) {
      faults.push({ file: path, message: describeFault(path, error) });
    }
  }
  return { files, faults };
}

function namesUnder(path: string): readonly string[] {
  if (path === '-' || !statSync(path).isDirectory()) return [path];
  const names = readdirSync(path)
    .filter((name) => manifestName.test(name))
    .map((name) => join(path, name))
    .filter((name) => statSync(name).isFile())
    .sort();
  if (names.length > 0) return names;
  throw new Error(`${path} holds no *.yaml, *.yml or *.json file; name a directory that holds manifests (subdirectories are not read)`);
}

function textOf(name: string): ManifestFile {
  const bytes = readFileSync(name === '-' ? 0 : name);
  return { name: name === '-' ? '<stdin>' : name, text: decode(name, bytes) };
}

function decode(name: string, bytes: Buffer): string {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (error) {
    throw new Error(`${name} is not text in UTF-8; save it as UTF-8`, { cause: error });
  }
}

function describeFault(path: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return `${path} does not exist; -f takes a file, a directory, or - for standard input`;
  if (code === 'EACCES' || code === 'EPERM') return `${path} may not be read by this user; give it read permission`;
  return message;
}
