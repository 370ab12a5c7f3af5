//! Limits that come from Lambda. Source of each: `AWS Lambda Developer Guide, "Lambda quotas"`, unless said.

/// Synchronous request or buffered response payload, bytes.
pub const SYNC_PAYLOAD_BYTES_MAX: usize = 6 * 1024 * 1024;
/// What the runtime may post as a buffered response: the payload and some slack for its own framing (Lambda answers
/// 413 above 6 MB plus 100 bytes; observed in the runtime interface emulator).
pub const RESPONSE_BYTES_MAX: usize = SYNC_PAYLOAD_BYTES_MAX + 100;
/// Asynchronous request payload, bytes.
pub const ASYNC_PAYLOAD_BYTES_MAX: usize = 1024 * 1024;
/// Streamed response, bytes.
pub const STREAM_BYTES_MAX: u64 = 200 * 1024 * 1024;
/// `X-Amz-Client-Context`, bytes of base64.
pub const CLIENT_CONTEXT_BYTES_MAX: usize = 3583;
/// Zip uploaded through the API, bytes.
pub const ZIP_BYTES_MAX: usize = 50 * 1024 * 1024;
/// Zip read from a bucket, bytes: not limited by itself. As much as may be unpacked, and what the names and headers of the most
/// entries take that Hearth unpacks.
pub const S3_ZIP_BYTES_MAX: u64 = UNZIPPED_BYTES_MAX + 32 * 1024 * 1024;
/// Unzipped package with its layers, bytes.
pub const UNZIPPED_BYTES_MAX: u64 = 250 * 1024 * 1024;
/// All code of an account in a Region, bytes.
pub const CODE_STORAGE_BYTES_MAX: u64 = 300 * 1024 * 1024 * 1024;
/// Environment variables of one function, bytes of JSON.
pub const ENVIRONMENT_BYTES_MAX: usize = 4096;
/// Resource policy, bytes.
pub const POLICY_BYTES_MAX: usize = 20 * 1024;
/// Layers of one function.
pub const LAYERS_MAX: usize = 5;
/// Concurrent executions of an account in a Region.
pub const ACCOUNT_CONCURRENCY: u32 = 1000;
/// What reserved concurrency must leave unreserved.
pub const UNRESERVED_CONCURRENCY_MIN: u32 = 100;
/// Open files in a sandbox.
pub const SANDBOX_FILES_MAX: u64 = 1024;
/// Processes and threads in a sandbox.
pub const SANDBOX_PROCESSES_MAX: u32 = 1024;
/// Memory that equals one core of CPU, MiB.
pub const MEMORY_MIB_PER_CORE: u32 = 1769;
/// On-demand initialisation before it is re-run inside the invocation, ms.
pub const INIT_MS_MAX: u64 = 10_000;
/// Initialisation of what is provisioned, unless the function's own time-out is longer, ms.
pub const PROVISIONED_INIT_MS_MAX: u64 = 130_000;
/// Timeout of an ordinary function, seconds.
pub const TIMEOUT_S_MAX: u32 = 900;
/// Tail of the log returned with `X-Amz-Log-Type: Tail`, bytes.
pub const LOG_TAIL_BYTES: usize = 4096;
