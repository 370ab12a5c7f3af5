//! Keys of what the engine keeps. Each is of one kind of thing, and none is ever of two: a key outlives its entry harmlessly.

slotmap::new_key_type! {
    /// The sandboxes and tickets of one version.
    pub(crate) struct PoolKey;
    /// An instance.
    pub(crate) struct SiteKey;
    /// A sub-pool.
    pub(crate) struct SubPoolKey;
    /// An account that has pools.
    pub(crate) struct AccountKey;
    /// An account in a Region that has pools.
    pub(crate) struct HomeKey;
    /// A function that has pools.
    pub(crate) struct FunctionKey;
    /// A function's queue of events.
    pub(crate) struct QueueKey;
    /// An account that has queues of events.
    pub(crate) struct OwnerKey;
}
