// Run by `helm test`. Ends with 0 where Belay works, and with 1 and a sentence for each thing that does not.
// node test-installation.mjs NAME NAMESPACE SECONDS [FOLDER]: the release's full name, where to ask for a pod (empty: nowhere), how long an installation
// may take that has only just begun, and the service account's folder.
import { readFileSync } from 'node:fs';
import { request } from 'node:https';

const [name, where, seconds, folder = '/var/run/secrets/kubernetes.io/serviceaccount'] = process.argv.slice(2);
const { BELAY_NAMESPACE: namespace, KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
const read = (file) => readFileSync(`${folder}/${file}`, 'utf8').trim();
const ca = read('ca.crt');
const authorization = `Bearer ${read('token')}`;

/** Status and JSON of one answer of the API server; a page that is no JSON counts as its message. */
function ask(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = { authorization, accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const asked = request({ host, port, path, method, ca, headers, timeout: 15_000 }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk) => { text += chunk; }).on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode, body: /json/.test(answer.headers['content-type'] ?? '') ? JSON.parse(text) : { message: text.trim() } }));
    });
    asked.on('error', reject).on('timeout', () => asked.destroy(new Error('the API server did not answer within 15 s')));
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function kindsAreServed() {
  const { status, body } = await ask('GET', '/apis/belay.dev/v1alpha1');
  const kinds = status === 200 ? body.resources.map(({ name: plural }) => plural) : [];
  return ['fallbackchains', 'modelproviders'].filter((plural) => !kinds.includes(plural)).map((plural) => `CRD ${plural}.belay.dev is not there: set crds.enabled, or apply it by hand.`);
}

async function isAvailable(deployment) {
  const { status, body } = await ask('GET', `/apis/apps/v1/namespaces/${namespace}/deployments/${deployment}`);
  if (status !== 200) return [`Deployment ${deployment} in namespace ${namespace}: ${body.message}`];
  return (body.status?.availableReplicas ?? 0) > 0 ? [] : [`Deployment ${deployment} in namespace ${namespace} has no pod that is ready: see kubectl -n ${namespace} describe pods`];
}

/** A dry run goes through admission, and leaves nothing behind. */
async function podsAreInjected() {
  if (where === '') return [];
  const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };
  const { status, body } = await ask('POST', `/api/v1/namespaces/${where}/pods?dryRun=All`, {
    apiVersion: 'v1', kind: 'Pod',
    metadata: { generateName: 'belay-test-', annotations: { 'belay.dev/inject': 'true' } },
    spec: { containers: [{ name: 'application', image: 'application', securityContext }] },
  });
  if (status !== 201) return [`a pod with belay.dev/inject in namespace ${where} was refused: ${body.message}`];
  return body.spec.initContainers?.[0]?.name === 'belay' ? [] : [`a pod with belay.dev/inject in namespace ${where} came back without a sidecar: see kubectl get mutatingwebhookconfiguration ${name}-injector`];
}

async function findProblems() {
  return (await Promise.all([kindsAreServed(), isAvailable(name), isAvailable(`${name}-webhook`), podsAreInjected()]).catch((error) => [`the API server cannot be asked: ${error.message}`])).flat();
}

const deadline = Date.now() + Number(seconds) * 1_000;
let problems = await findProblems();
while (problems.length > 0 && Date.now() < deadline) {
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  problems = await findProblems();
}
for (const problem of problems) console.error(problem);
const injected = where === '' ? 'no pod was asked for, since namespaces default and kube-public are excluded from injection' : 'pods are injected';
if (problems.length === 0) console.log(`Belay serves its kinds, both Deployments are available, and ${injected}.`);
process.exitCode = problems.length === 0 ? 0 : 1;
