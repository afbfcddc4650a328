/** What injection reads of a pod (core/v1); every other field passes through untouched. */
export interface Pod {
  readonly metadata: {
    readonly annotations?: { readonly [name: string]: string };
    readonly labels?: { readonly [name: string]: string };
  };
  readonly spec: PodSpec;
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Named[];
  readonly imagePullSecrets?: readonly { readonly name?: string }[];
  readonly hostNetwork?: boolean;
  readonly os?: { readonly name: string };
  readonly nodeSelector?: { readonly [label: string]: string };
  /** ClusterFirst where it says nothing. */
  readonly dnsPolicy?: string;
  readonly dnsConfig?: { readonly searches?: readonly string[] };
  readonly securityContext?: { readonly runAsUser?: number };
  /** Of the whole pod (KEP-2837). */
  readonly resources?: Resources;
}

export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly imagePullPolicy?: string;
  /** Of an init container: `Always` makes it a sidecar. */
  readonly restartPolicy?: string;
  readonly env?: readonly EnvironmentVariable[];
  readonly envFrom?: readonly object[];
  /** TCP where it says nothing. */
  readonly ports?: readonly { readonly containerPort: number; readonly protocol?: string }[];
  readonly resources?: Resources;
}

export interface EnvironmentVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: object;
}

/** Quantities by resource name. */
export interface Resources {
  readonly requests?: Quantities;
  readonly limits?: Quantities;
}

export interface Quantities {
  readonly [resource: string]: string | number;
}

export interface Named {
  readonly name: string;
}
