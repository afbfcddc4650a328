import { readdirSync, realpathSync, statSync, watch, type FSWatcher } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Clock } from '@belay/contract';

const debounceMs = 100;
/** Where the system tells of no change (network file systems, no watches left) this finds it. */
const lookAgainMs = 2_000;

/** The watched files as the machine has them. */
export interface WatchedFiles {
  /** Differs when any file came, went or changed. */
  fingerprint(): string;
  /** Calls back when something in reach may have changed; returns how to end that. */
  listen(onEvent: () => void): () => void;
}

export interface ManifestWatcher {
  close(): void;
}

/**
 * Calls back once after each change of the files, 100 ms after the last event: an editor's rename, a ConfigMap's swapped
 * symlink and a plain write are one change each. Events that leave the files as they were are ignored.
 */
export function createManifestWatcher(files: WatchedFiles, clock: Clock, onChange: () => void): ManifestWatcher {
  let known = files.fingerprint();
  let disarmDebounce = (): void => {};
  let disarmLook = (): void => {};
  let unlisten = files.listen(onEvent);

  function onEvent(): void {
    disarmDebounce();
    disarmDebounce = clock.after(debounceMs, compare);
  }
  function compare(): void {
    const now = files.fingerprint();
    if (now === known) return;
    known = now;
    // What the paths lead to may be another directory now.
    unlisten();
    unlisten = files.listen(onEvent);
    onChange();
  }
  function lookAgain(): void {
    disarmLook = clock.after(lookAgainMs, () => {
      compare();
      lookAgain();
    });
  }
  lookAgain();
  return {
    close() {
      disarmDebounce();
      disarmLook();
      unlisten();
    },
  };
}

/** Files and directories of `-f`, with everything that their symlinks lead through. */
export function watchedFiles(paths: readonly string[]): WatchedFiles {
  return {
    fingerprint: () => paths.flatMap(filesOf).map(describeFile).join('\n'),
    listen(onEvent) {
      const watchers = [...new Set(paths.flatMap(directoriesOf))].flatMap((directory) => watchDirectory(directory, onEvent));
      return () => watchers.forEach((watcher) => watcher.close());
    },
  };
}

function filesOf(path: string): readonly string[] {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [path];
  return readdirSync(path).sort().filter((name) => /\.(json|ya?ml)$/.test(name)).map((name) => join(path, name));
}

function describeFile(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined ? `${file} -` : `${file} ${found.ino} ${found.size} ${found.mtimeMs}`;
}

/** The directory that holds each name, and the one that holds what the name leads to. */
function directoriesOf(path: string): readonly string[] {
  const own = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? [resolve(path)] : [];
  const holders = filesOf(path).map((file) => dirname(resolve(file)));
  const targets = filesOf(path).flatMap((file) => realDirectory(file));
  return [...own, ...holders, ...targets];
}

function realDirectory(file: string): readonly string[] {
  try {
    return [dirname(realpathSync(file))];
  } catch {
    return [];
  }
}

/** None where the system has no watch to give: looking again finds the change then. */
function watchDirectory(directory: string, onEvent: () => void): readonly FSWatcher[] {
  try {
    const watcher = watch(directory, { persistent: false }, onEvent);
    watcher.on('error', () => watcher.close());
    return [watcher];
  } catch {
    return [];
  }
}
