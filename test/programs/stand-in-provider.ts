// A stand-in as a program of its own, for a pod or a container: it serves on port 8080 (PORT) and takes orders on port
// 8081 (ORDERS_PORT): `PUT /script` (JSON, a list of attempts), `POST /refuse`, `POST /listen`, `GET /requests`,
// `GET /keys` (when each authorization came first, in milliseconds since the Unix epoch; `none` stands for no such header).
// STAND_IN_SCRIPT holds the script to begin with, STAND_IN_NAME its name in answers, STAND_IN_KEY the one key that it takes.
import { createServer, type IncomingMessage } from 'node:http';
import { createStandIn } from '../support/stand-in.ts';
import { readAttempt, type Attempt } from '../support/stand-in-script.ts';

const name = process.env['STAND_IN_NAME'] ?? 'stand-in';
const script = parseScript(process.env['STAND_IN_SCRIPT'] ?? JSON.stringify([{ say: `This is ${name}.` }]));
const key = process.env['STAND_IN_KEY'];
const keys: Record<string, number> = {};
const standIn = await createStandIn({
  name, script, address: '0.0.0.0', port: Number(process.env['PORT'] ?? 8080), ...(key === undefined ? {} : { key }),
  onRequest({ headers: { authorization } }) {
    keys[String(authorization ?? 'none')] ??= Date.now();
  },
});

const orders = createServer((request, response) => {
  carryOut(request).then((answer) => response.end(answer), (error: Error) => {
    response.statusCode = 400;
    response.end(`${error.message}\n`);
  });
});
orders.listen(Number(process.env['ORDERS_PORT'] ?? 8081), '0.0.0.0');
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));

async function carryOut(request: IncomingMessage): Promise<string> {
  const order = `${request.method} ${request.url}`;
  switch (order) {
    case 'PUT /script':
      standIn.setScript(parseScript(await readText(request)));
      return 'the next request meets the first entry\n';
    case 'POST /refuse':
      await standIn.refuse();
      return 'refuses connections\n';
    case 'POST /listen':
      await standIn.listen();
      return 'listens\n';
    case 'GET /requests':
      return JSON.stringify(standIn.requests.map(({ number, method, path, headers, json }) => ({ number, method, path, headers, json })));
    case 'GET /keys':
      return JSON.stringify(keys);
    default:
      throw new Error(`${order} is no order of a stand-in: PUT /script, POST /refuse, POST /listen, GET /requests and GET /keys are`);
  }
}

function parseScript(text: string): readonly Attempt[] {
  const entries: unknown = JSON.parse(text);
  if (!Array.isArray(entries) || entries.length === 0) throw new Error('a script must be a list of at least one attempt');
  return entries.map((entry, index) => readAttempt(entry, `script[${index}]`));
}

async function readText(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
