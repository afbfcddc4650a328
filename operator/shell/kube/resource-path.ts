/** A kind as the API's URLs name it; the core group is ''. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

/** A collection of a kind, in one namespace or (without one) in all or none. */
export interface Place {
  readonly resource: Resource;
  readonly namespace?: string;
}

/** One object, or one subresource of it such as `status`. */
export interface ObjectPlace extends Place {
  readonly name: string;
  readonly subresource?: string;
}

export function describePlace(place: Place | ObjectPlace): string {
  const kind = place.resource.group === '' ? place.resource.plural : `${place.resource.plural}.${place.resource.group}`;
  const name = 'name' in place ? ` ${place.name}` : '';
  return `${kind}${name}${place.namespace === undefined ? '' : ` in namespace ${place.namespace}`}`;
}

/**
 * Path of a collection or an object (Kubernetes API concepts, "Resource URIs"). Throws on a name that would leave its
 * segment: names come from what users wrote.
 */
export function resourcePath(place: Place | ObjectPlace): string {
  const { group, version, plural } = place.resource;
  const segments = group === '' ? ['api', version] : ['apis', group, version];
  if (place.namespace !== undefined) segments.push('namespaces', segment(place.namespace));
  segments.push(plural);
  if ('name' in place) {
    segments.push(segment(place.name));
    if (place.subresource !== undefined) segments.push(place.subresource);
  }
  return `/${segments.join('/')}`;
}

function segment(name: string): string {
  if (!/^[a-z0-9][-a-z0-9.:_]*$/i.test(name)) throw new Error(`${JSON.stringify(name)} is no name of a Kubernetes object: letters, digits, '-' and '.' are.`);
  return encodeURIComponent(name);
}
