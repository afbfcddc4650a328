import { imageNames } from '../../../scripts/images/images.ts';
import type { Stage } from './stage.ts';

const killer = 'killer';
/** Finds the processes of a pod by its uid in their cgroup's path, whose dashes systemd's driver writes as underscores. */
const kill = `
const uid = process.argv[1].replaceAll('-', '[-_]');
const own = (pid) => { try { return new RegExp('pod' + uid).test(fs.readFileSync('/proc/' + pid + '/cgroup', 'utf8')) && fs.readFileSync('/proc/' + pid + '/cmdline', 'utf8').startsWith(process.argv[2]); } catch { return false; } };
const pids = fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).filter(own).map(Number);
if (pids.length === 0) throw new Error('no process ' + process.argv[2] + ' of pod ' + process.argv[1]);
for (const pid of pids) process.kill(pid, 'SIGKILL');`;

/** Puts a pod into the namespace that sees the processes of its node; its namespace must admit that. */
export async function raiseKiller({ apply, kubectl }: Stage): Promise<void> {
  await apply({
    apiVersion: 'v1', kind: 'Pod', metadata: { name: killer },
    spec: { hostPID: true, terminationGracePeriodSeconds: 0, containers: [{ name: 'node', image: imageNames.belay, imagePullPolicy: 'IfNotPresent', args: ['-e', 'setInterval(() => {}, 1e6)'], securityContext: { runAsUser: 0, privileged: true } }] },
  });
  await kubectl('wait', '--for=condition=Ready', `pod/${killer}`, '--timeout=60s');
}

/** SIGKILL to a pod's processes whose command line begins so, as the kernel would for want of memory. `raiseKiller` comes first. */
export async function killPod({ kubectl }: Stage, pod: string, program: string): Promise<void> {
  const uid = await kubectl('get', 'pod', pod, '--output', 'jsonpath={.metadata.uid}');
  await kubectl('exec', killer, '--', '/nodejs/bin/node', '-e', kill, uid, program);
}
