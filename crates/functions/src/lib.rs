//! The control plane: functions, versions, aliases, layers, policies and settings, and what an invocation needs of them.
//!
//! ```text
//! request -> check -> [account's writer] -> commit to the store -> new snapshot in memory -> answer
//!                                                                       ^
//! invocation -> resolve ------------------------------------------------+  (no wait, no I/O)
//! ```
//! The store is the truth: nothing is answered before it is there, and a restart reads everything back. In memory each
//! function is one immutable snapshot that is replaced as a whole. Rules live here, HTTP does not.

mod account;
mod account_settings;
mod accounts;
mod alias;
mod code;
mod concurrency;
mod config;
mod create;
mod cross_account;
mod delete;
mod event_config;
mod function;
mod function_settings;
mod functions;
mod garbage;
mod layer;
mod layer_policy;
mod list;
mod load;
mod location;
mod logging;
mod move_accounts;
mod name;
mod policy;
mod prepare;
mod provision;
mod provisioned;
mod publish;
mod record;
mod refuse;
mod resolve;
mod role;
mod runtime;
mod settings;
mod settle;
mod source;
mod tag;
mod unsupported;
mod update;
mod view;

pub use config::{FunctionsConfig, RoleChecks, RuntimeState, RuntimeStates};
pub use functions::{Functions, NodePorts, OpenError, Retire, Scope};
pub use hearth_aws_api::ApiError;
pub use location::LocationError;
pub use move_accounts::MoveError;
pub use resolve::Resolved;
