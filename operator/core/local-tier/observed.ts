/** What is read of a Deployment (apps/v1). */
export interface ObservedDeployment {
  readonly metadata: ObservedMetadata;
  readonly spec?: { readonly replicas?: number };
  readonly status?: { readonly conditions?: readonly ObservedCondition[] };
}

/** What is read of a pod (core/v1). */
export interface ObservedPod {
  readonly metadata: ObservedMetadata;
  readonly spec?: {
    readonly containers: readonly ObservedContainer[];
    readonly volumes?: readonly { readonly name: string; readonly persistentVolumeClaim?: { readonly claimName: string } }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly ObservedCondition[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

interface ObservedContainer {
  readonly name: string;
  readonly args?: readonly string[];
  readonly resources?: { readonly limits?: { readonly [resource: string]: string | number } };
}

interface ObservedMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
}

export interface ObservedCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface ContainerStatus {
  readonly name: string;
  readonly image?: string;
  readonly started?: boolean | null;
  readonly restartCount?: number;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
}

interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: object;
  readonly terminated?: TerminatedContainer;
}

export interface TerminatedContainer {
  readonly exitCode: number;
  readonly reason?: string;
  readonly startedAt?: string | null;
  readonly finishedAt?: string | null;
}
