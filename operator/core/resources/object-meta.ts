/** What Belay reads of a resource's metadata. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  /** Of the stored object; absent in a manifest that no cluster has stored. */
  readonly uid?: string;
  /** RFC 3339; absent in a manifest that no cluster has stored. */
  readonly creationTimestamp?: string;
  readonly generation?: number;
  readonly labels?: { readonly [label: string]: string };
}
