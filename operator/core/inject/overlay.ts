/** Members of which an object has one: an API server refuses two. */
const rivals = [['value', 'valueFrom'], ['httpGet', 'exec', 'tcpSocket', 'grpc']];

/**
 * `ours` laid over what stands there: in objects, members that only stand there stay (defaults of the API server, additions of another
 * injector); elements of lists are paired by `mountPath` or `name`, or else by place where the lists are as long.
 */
export function overlay(present: unknown, ours: unknown): unknown {
  if (Array.isArray(present) && Array.isArray(ours)) return overlayLists(present, ours);
  if (!isObject(present) || !isObject(ours)) return ours;
  const laid = Object.entries(ours).map(([name, member]) => [name, name in present ? overlay(present[name], member) : member] as const);
  return { ...Object.fromEntries(Object.entries(present).filter(([name]) => !hasRivalOf(name, ours))), ...Object.fromEntries(laid) };
}

function hasRivalOf(name: string, members: object): boolean {
  return rivals.some((group) => group.includes(name) && group.some((rival) => rival !== name && rival in members));
}

function overlayLists(present: readonly unknown[], ours: readonly unknown[]): unknown {
  if (ours.some((element) => keyOf(element) === null)) {
    return present.length === ours.length ? ours.map((element, index) => overlay(present[index], element)) : ours;
  }
  const keys = ours.map(keyOf);
  const laid = ours.map((element) => overlay(present.find((other) => keyOf(other) === keyOf(element)), element));
  return [...laid, ...present.filter((element) => !keys.includes(keyOf(element)))];
}

function keyOf(element: unknown): string | null {
  if (!isObject(element)) return null;
  const key = element['mountPath'] ?? element['name'];
  return typeof key === 'string' ? key : null;
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
