// What nodes and container engines run on: whatever ends it, nothing of it stays.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Machine } from '../../scripts/machine/start-machine.ts';
import { startSmallMachine } from './small-machine.ts';

const asRoot = process.platform === 'linux' && process.getuid?.() === 0 ? describe : describe.skip;
const overcommit = '/proc/sys/vm/overcommit_memory';
const open: Machine[] = [];

afterEach(async () => {
  for (const machine of open.splice(0)) await machine.close();
});

async function start(more: Parameters<typeof startSmallMachine>[0] = {}): Promise<Machine> {
  const machine = await startSmallMachine(more);
  open.push(machine);
  return machine;
}

interface Traces {
  readonly processes: number;
  readonly mounts: number;
  readonly cgroups: number;
  readonly folder: boolean;
}

const nothing: Traces = { processes: 0, mounts: 0, cgroups: 0, folder: false };

/** Of the machine's folder and name, as this test's own machine shows them. */
function tracesOf(folder: string): Traces {
  const processes = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandLine(pid).includes(folder));
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter((line) => line.includes(folder));
  const cgroups = existsSync('/sys/fs/cgroup/memory') ? readdirSync('/sys/fs/cgroup/memory') : readdirSync('/sys/fs/cgroup');
  return { processes: processes.length, mounts: mounts.length, cgroups: cgroups.filter((name) => name === nameOf.get(folder)).length, folder: existsSync(folder) };
}

/** Read while the machine lives. */
const nameOf = new Map<string, string>();

function noteName(folder: string): void {
  nameOf.set(folder, (JSON.parse(readFileSync(join(folder, 'settings.json'), 'utf8')) as { readonly name: string }).name);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // it ended meanwhile
  }
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const end = Date.now() + 15_000;
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`not within 15 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

asRoot('a private machine', () => {
  test('runs commands in there, apart from this machine', async () => {
    const machine = await start();
    expect((await machine.run('sh', ['-c', 'echo $GREETING; cat /proc/1/comm'])).stdout).toBe('hello\nsh\n');
    expect(await machine.run('sh', ['-c', 'cat; exit 3'], { input: 'from outside' })).toEqual({ code: 3, stdout: 'from outside', stderr: '' });
    expect((await machine.run('ip', ['route'])).stdout).toBe('');
    expect(machine.log('server')).toBe('serving\n');
  });

  test('lays settings over those of the kernel, and what is written to /run and /var over the files', async () => {
    const before = readFileSync(overcommit, 'utf8');
    const machine = await start();
    const written = `/run/belay-${process.pid}`;
    expect((await machine.run('sh', ['-c', `cat ${overcommit}; echo 2 > ${overcommit}; touch ${written}; ls ${written}`])).stdout).toBe(`1\n${written}\n`);
    expect(readFileSync(overcommit, 'utf8')).toBe(before);
    expect(existsSync(written)).toBe(false);
  });

  test('leaves nothing when it is closed', async () => {
    const machine = await start();
    noteName(machine.dir);
    expect(tracesOf(machine.dir)).toMatchObject({ cgroups: 1, folder: true });
    await machine.close();
    await machine.close();
    expect(tracesOf(machine.dir)).toEqual(nothing);
  });

  test('leaves nothing when the process that started it is killed', async () => {
    const parent = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, '..', 'programs', 'start-small-machine.ts')], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [dir] = await once(createInterface({ input: parent.stdout }), 'line') as [string];
    noteName(dir);
    parent.kill('SIGKILL');
    await until('everything is gone', () => JSON.stringify(tracesOf(dir)) === JSON.stringify(nothing));
  });

  test('ends when its keeper is killed, and the next start removes its files', async () => {
    const machine = await start();
    noteName(machine.dir);
    process.kill(keeperOf(machine.dir), 'SIGKILL');
    await until('its processes are gone', () => tracesOf(machine.dir).processes === 0);
    expect(tracesOf(machine.dir)).toMatchObject({ folder: true });
    const lines: string[] = [];
    await start({ log: (line) => lines.push(line) });
    expect(tracesOf(machine.dir)).toEqual(nothing);
    expect(lines).toContain(`Removing what the killed ${nameOf.get(machine.dir)} left behind.`);
  });

  test('is two machines where two are started', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    await one.close();
    expect(await other.run('true', [])).toMatchObject({ code: 0 });
    expect(existsSync(other.dir)).toBe(true);
  });

  test('that does not start says what its server said, and leaves nothing', async () => {
    const folder = join(mkdtempSync(join(tmpdir(), 'belay-broken-')), 'machine');
    await expect(start({ broken: true, dir: folder })).rejects.toThrow(/the small did not start: server ended with 7:\nout of order/);
    expect(existsSync(folder)).toBe(false);
    rmSync(join(folder, '..'), { recursive: true });
  });

  test('takes no folder that is in use, or seen otherwise from inside', async () => {
    const used = mkdtempSync(join(tmpdir(), 'belay-used-'));
    writeFileSync(join(used, 'mine.txt'), '');
    await expect(start({ dir: used })).rejects.toThrow('must be empty');
    await expect(start({ dir: '/run/belay-machine' })).rejects.toThrow('choose one outside of /run');
    expect(existsSync(join(used, 'mine.txt'))).toBe(true);
    rmSync(used, { recursive: true });
  });
});

/** The process that runs keep-machine.ts for this folder. */
function keeperOf(folder: string): number {
  const pid = readdirSync('/proc').find((entry) => /^\d+$/.test(entry) && commandLine(entry).includes('keep-machine.ts') && commandLine(entry).includes(folder));
  return Number(pid);
}
