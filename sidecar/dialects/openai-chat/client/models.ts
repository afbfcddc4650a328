/** A name that an application may ask for. */
export interface OfferedModel {
  readonly id: string;
  /** The chain that serves it. */
  readonly chain: string;
}

/** Body of GET /v1/models: OpenAI's list shape. `created` is 0: a chain has no age that an application could use. */
export function modelListBody(models: readonly OfferedModel[]): string {
  return JSON.stringify({ object: 'list', data: models.map(modelObject) });
}

/** Body of GET /v1/models/M. */
export function modelBody(model: OfferedModel): string {
  return JSON.stringify(modelObject(model));
}

function modelObject({ id, chain }: OfferedModel): { id: string; object: 'model'; created: number; owned_by: string } {
  return { id, object: 'model', created: 0, owned_by: `belay:${chain}` };
}
