// Generated from crds/ by `npm run generate`: change the CRD, never this file.
import type { ObjectMeta } from './object-meta.ts';

/** One place that serves models: a provider's API, a server on the network, or a llama.cpp server that Belay runs. */
export interface ModelProvider {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec: ModelProviderSpec;
  readonly status?: ModelProviderStatus;
}

/** Exactly one of: preset; dialect with baseURL; local. */
export interface ModelProviderSpec {
  /** A known provider: fills dialect, baseURL, failureDomain and cancellation. Ollama, VLLM and LlamaCpp need a baseURL. */
  readonly preset?: 'OpenAI' | 'Groq' | 'DeepSeek' | 'Mistral' | 'Together' | 'Fireworks' | 'XAI' | 'OpenRouter' | 'Cerebras' | 'Ollama' | 'VLLM' | 'LlamaCpp';
  /** The protocol that the server at baseURL speaks, where no preset fits. */
  readonly dialect?: 'OpenAI';
  /** Address of the API up to and with its version, such as https://llm.example/v1; a trailing slash is ignored. https; http only to a Service, to loopback in standalone use, or where allowInsecureHTTP is set. */
  readonly baseURL?: string;
  /** Lets baseURL be plain http to any host, such as a GPU box on a private address. Prompts and keys then travel unencrypted. */
  readonly allowInsecureHTTP?: boolean;
  /** true: out of every chain until it is set back. */
  readonly suspend: boolean;
  /** The key that is sent to the provider. Without credentials no key is sent. */
  readonly credentials?: {
    /** One key of a Secret in the same namespace. */
    readonly secretKeyRef: {
      /** Name of the Secret. */
      readonly name: string;
      /** Key within the Secret's data. */
      readonly key: string;
    };
  };
  /** What fails together; a hedge never stays inside one failure domain. Default: the preset in lower case; for a server at an address of your own, its host and port. */
  readonly failureDomain?: string;
  /** What a request costs when it is cancelled: StopsBilling: what came so far; RunsOn: the whole answer. Default: by the preset. */
  readonly cancellation?: 'StopsBilling' | 'RunsOn' | 'Unknown';
  /** Fixed limits for every attempt at this provider. Default: adaptive. */
  readonly timeouts?: {
    /** Until the connection stands. */
    readonly connect?: string;
    /** From the request to the first content of the answer. */
    readonly firstContent?: string;
    /** Between two events of an answer. */
    readonly idle?: string;
  };
  /** Added to every request to this provider. Never a credential. */
  readonly headers?: readonly {
    /** Name of the header, such as x-team. */
    readonly name: string;
    /** Value of the header, as it is sent. */
    readonly value: string;
  }[];
  /** How the provider's certificate is checked. */
  readonly tls?: {
    /** Certificate authorities trusted beside the system's own; PEM under the key ca.crt. */
    readonly caCertificateRefs: readonly {
      /** Where the certificates are kept. Default: ConfigMap. */
      readonly kind?: 'ConfigMap';
      /** Name of a ConfigMap in the same namespace. */
      readonly name: string;
    }[];
  };
  /** Limits of the whole fleet at this provider. */
  readonly limits?: {
    /** Requests under way at once. Default: unlimited; for a local provider its parallel × replicas. */
    readonly concurrency?: number;
  };
  /** What is known of this provider's models. */
  readonly models?: readonly {
    /** Name of the model, as this provider spells it. */
    readonly name: string;
    /** Tokens of prompt and answer together; larger requests skip this target. */
    readonly contextTokens: number;
  }[];
  /** Who may refer to this provider, beside its own namespace. Sharing it shares its key: sidecars of those namespaces are given it. */
  readonly allowedNamespaces: {
    /** Same: no other namespace. All: every namespace. Selector: those whose labels match. */
    readonly from: 'Same' | 'All' | 'Selector';
    /** Labels of namespaces, as in every label selector; kubernetes.io/metadata.name is a namespace's own name. */
    readonly selector?: {
      /** All of these labels, with these values. */
      readonly matchLabels?: { readonly [name: string]: string };
      /** All of these. */
      readonly matchExpressions?: readonly {
        /** Key of a label. */
        readonly key: string;
        /** How the label of a namespace is compared. */
        readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
        /** What it is compared with: one at least for In and NotIn, none for Exists and DoesNotExist. */
        readonly values?: readonly string[];
      }[];
    };
  };
  /** A llama.cpp server that Belay runs, with a model of your own. */
  readonly local?: {
    /** The server's program. */
    readonly engine: 'LlamaCpp';
    /** Where the model file is. */
    readonly model: {
      /** A file on a volume; under `belay run` the path is taken below --model-dir. */
      readonly persistentVolumeClaim: {
        /** Name of a PersistentVolumeClaim in the same namespace. */
        readonly claimName: string;
        /** Path of a GGUF file within the volume. */
        readonly path: string;
      };
    };
    /** Window of one request; the server gets contextTokens × parallel. */
    readonly contextTokens: number;
    /** Requests that one server answers at once. */
    readonly parallel: number;
    /** Servers in the cluster; more than one needs a volume that several nodes can read. `belay run` runs one. */
    readonly replicas: number;
    /** Of each server's container in the cluster; `belay run` sets no limits. The server runs one thread for each whole core of the CPU limit, else of the request. Default requests are 500m and 1Gi. */
    readonly resources?: {
      /** What the scheduler sets aside. */
      readonly requests?: { readonly [name: string]: string };
      /** What it may use at most. */
      readonly limits?: { readonly [name: string]: string };
    };
  };
}

/** Written by the operator. */
export interface ModelProviderStatus {
  /** Generation of the spec that this status tells of. */
  readonly observedGeneration?: number;
  /** Accepted, ResolvedRefs and Ready. */
  readonly conditions: readonly {
    /** What it tells of. */
    readonly type: string;
    /** Whether it holds. */
    readonly status: 'True' | 'False' | 'Unknown';
    /** Why, in one word. */
    readonly reason: string;
    /** Why, in a sentence: what, where, and what would be right. */
    readonly message: string;
    /** Generation of the spec that it tells of. */
    readonly observedGeneration?: number;
    /** When status changed last. */
    readonly lastTransitionTime: string;
  }[];
}
