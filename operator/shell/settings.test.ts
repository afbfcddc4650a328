import { expect, test } from '@jest/globals';
import { describeProblem } from '@belay/contract';
import { describeFlags, parseSettings } from './settings.ts';

const env = { BELAY_NAMESPACE: 'belay-system', BELAY_POD_NAME: 'belay-1', BELAY_POD_IP: '10.0.0.7' };

test('a role is all that must be said in a pod', () => {
  const settings = parseSettings(['--role=controller,distributor'], env);
  expect(settings).toMatchObject({ ok: true, value: {
    namespace: 'belay-system', name: 'belay', podName: 'belay-1', probeAddress: '10.0.0.7', probePort: 8081, webhookPort: 9443, distributorPort: 7443,
    distributor: 'belay.belay-system.svc:7443', clusterDomain: 'cluster.local', logLevel: 'info', kubeconfig: null,
    sidecar: { image: 'ghcr.io/belay-dev/belay:0.1.0', pullPolicy: 'IfNotPresent', pullSecrets: [] }, localTier: { pullPolicy: 'IfNotPresent', pullSecrets: [] },
  } });
  expect(settings.ok && [...settings.value!.roles]).toEqual(['controller', 'distributor']);
});

test('every setting can be given, repeatable ones more than once', () => {
  const settings = parseSettings([
    '--role', 'all', '--namespace=here', '--name=mine', '--sidecar-image=r.example/b:2', '--sidecar-image-pull-policy=Always', '--sidecar-image-pull-secret=a', '--sidecar-image-pull-secret=b',
    '--distributor=[fd00::1]:7443', '--certificate-name=127.0.0.1', '--certificate-name=dev', '--probe-port=0', '--log-level=warn', '--kubeconfig=/k',
  ], {});
  expect(settings).toMatchObject({ ok: true, value: {
    namespace: 'here', name: 'mine', sidecar: { image: 'r.example/b:2', pullPolicy: 'Always', pullSecrets: ['a', 'b'] }, distributor: '[fd00::1]:7443',
    certificateNames: ['127.0.0.1', 'dev'], probePort: 0, probeAddress: '0.0.0.0', logLevel: 'warn', kubeconfig: '/k',
  } });
  expect(settings.ok && [...settings.value!.roles]).toEqual(['controller', 'distributor', 'webhook']);
});

test.each([
  ['no role', [], '--role: must be given: controller, distributor, webhook with commas between them, or all'],
  ['an unknown role', ['--role=leader'], '--role: "leader" is no role: controller, distributor, webhook are, or all'],
  ['an unknown flag', ['--role=all', '--prot=1'], "Unknown option '--prot'"],
  ['a word that is no flag', ['--role=all', 'now'], "Unexpected argument 'now'"],
  ['a flag without its value', ['--role'], "Option '--role <value>' argument missing"],
  ['a port that is none', ['--role=all', '--webhook-port=70000'], '--webhook-port: must be a port from 0 (any free one) to 65535, not "70000"'],
  ['a policy that is none', ['--role=all', '--sidecar-image-pull-policy=Sometimes'], '--sidecar-image-pull-policy: must be one of Always, IfNotPresent, Never, not "Sometimes"'],
  ['an address without a port', ['--role=all', '--distributor=belay'], '--distributor: must be HOST:PORT, not "belay"'],
  ['a flag given twice', ['--role=all', '--name=a', '--name=b'], '--name: may be given once only'],
  ['nothing where a name is', ['--role=all', '--name='], '--name: must not be empty'],
])('%s is refused in a sentence', (_, args, message) => {
  const settings = parseSettings(args, env);
  expect(settings.ok ? [] : settings.problems.map(describeProblem)).toContain(message);
});

test('outside a pod the namespace must be said', () => {
  const settings = parseSettings(['--role=all'], {});
  expect(settings.ok ? [] : settings.problems.map(describeProblem)).toEqual(['--namespace: must be given, or BELAY_NAMESPACE be set']);
});

test('help shows every flag, and asks for nothing else', () => {
  expect(parseSettings(['--help'], {})).toEqual({ ok: true, value: null });
  for (const flag of ['--role', '--sidecar-image-pull-secret', '--local-tier-image', '--certificate-name', '--probe-address', '--kubeconfig', '--help']) expect(describeFlags()).toContain(`  ${flag}`);
});
