//! GetAccountSettings.

use hearth_aws_api::shapes::lambda::{AccountLimit, AccountUsage, GetAccountSettingsResponse};
use hearth_types::limits::{CODE_STORAGE_BYTES_MAX, UNZIPPED_BYTES_MAX, ZIP_BYTES_MAX};

use crate::code::stored_bytes;
use crate::functions::{Functions, Scope};

impl Functions {
    pub fn get_account_settings(&self, scope: Scope<'_>) -> GetAccountSettingsResponse {
        let account = self.shared.seen_account(scope.home);
        let concurrent = self.shared.config.account_concurrency;
        let function_count = account.functions().len() as u64;
        GetAccountSettingsResponse {
            account_limit: Some(AccountLimit {
                total_code_size: Some(CODE_STORAGE_BYTES_MAX),
                code_size_unzipped: Some(UNZIPPED_BYTES_MAX),
                code_size_zipped: Some(ZIP_BYTES_MAX as u64),
                concurrent_executions: Some(concurrent),
                unreserved_concurrent_executions: Some(concurrent.saturating_sub(account.claimed())),
            }),
            account_usage: Some(AccountUsage {
                total_code_size: Some(stored_bytes(&account)),
                function_count: Some(function_count),
            }),
        }
    }
}
