/** Names of things. Plain strings: the field that holds one says which. */

/** Unique per request within one run of the router; also the `x-request-id` the client sees. */
export type RequestId = string;
/** Key of a backend in the configuration, or of a discovered one (`llamacpp-8080`). */
export type BackendId = string;
/** A model's name as clients ask for it, or (canonical) as one backend calls it. */
export type ModelName = string;
/** Fairness key: the name of the API key, else the client's address. */
export type FlowId = string;
