//! The operator's buckets: directories of this machine and S3-compatible stores, by the names that requests use.

mod directory;
mod reply;
mod section;
mod store;
mod transfer;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use futures_util::{StreamExt as _, stream};
use hearth_engine::port::{Buckets, ObjectError, ObjectName, ObjectStream};
use hearth_types::{AccountId, Region};

use directory::Directory;
pub(crate) use section::CodeSection;
use store::S3Store;

/// The name in the configuration that stands for every bucket which has no entry of its own.
const ANY: &str = "*";

#[derive(Debug)]
struct Bucket {
    /// None named: all.
    accounts: Vec<AccountId>,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Directory(Directory),
    Store(Arc<S3Store>),
}

/// What the configuration names.
#[derive(Debug)]
pub(crate) struct ConfiguredBuckets(BTreeMap<String, Bucket>);

impl ConfiguredBuckets {
    /// `None` if there are none.
    pub(crate) fn open(section: &CodeSection, region: &Region) -> Result<Option<Arc<dyn Buckets>>> {
        if section.buckets.is_empty() {
            return Ok(None);
        }
        let buckets = section.buckets.iter().map(|(name, bucket)| {
            let place = match &bucket.dir {
                Some(dir) => Place::Directory(Directory { path: dir.clone(), holds_buckets: name == ANY }),
                None => Place::Store(Arc::new(S3Store::new(name, bucket, region)?)),
            };
            Ok((name.clone(), Bucket { accounts: bucket.accounts.clone(), place }))
        });
        Ok(Some(Arc::new(Self(buckets.collect::<Result<_>>()?))))
    }
}

impl Buckets for ConfiguredBuckets {
    fn read(&self, account: &AccountId, object: ObjectName) -> ObjectStream {
        let Some(bucket) = self.0.get(&object.bucket).or_else(|| self.0.get(ANY)) else {
            return failed(refused("NoSuchBucket", NO_SUCH_BUCKET));
        };
        if !bucket.accounts.is_empty() && !bucket.accounts.contains(account) {
            return failed(refused("AccessDenied", "Access Denied"));
        }
        match &bucket.place {
            Place::Directory(directory) => directory.read(object),
            Place::Store(store) => store.read(object),
        }
    }
}

const NO_SUCH_BUCKET: &str = "The specified bucket does not exist";
const NO_SUCH_KEY: &str = "The specified key does not exist.";

fn failed(error: ObjectError) -> ObjectStream {
    stream::iter([Err(error)]).boxed()
}

fn refused(code: &str, message: &str) -> ObjectError {
    ObjectError::Refused { code: code.to_owned(), message: message.to_owned() }
}

fn unavailable(code: &str, message: impl Into<String>) -> ObjectError {
    ObjectError::Unavailable { code: code.to_owned(), message: message.into() }
}
