//! A control plane to test, and requests to it.

use std::io::Write;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use hearth_aws_api::shape::Blob;
use hearth_aws_api::shapes::lambda::{
    CreateFunctionRequest, DeleteFunctionRequest, FunctionCode, FunctionConfiguration, GetFunctionConfigurationRequest,
    LastUpdateStatus, PublishVersionRequest, State, UpdateFunctionCodeRequest, UpdateFunctionConfigurationRequest,
};
use hearth_functions::{ApiError, Functions, FunctionsConfig, NodePorts, OpenError, Scope};
use hearth_iam::Iam;
use hearth_packages::{PackageLimits, Packages};
use hearth_store::{Embedded, Store, Write as StoreWrite};
use hearth_types::{Home, Timestamp, VersionKey};

use crate::flaky::Flaky;
use crate::node::FakeNode;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_123);
pub(crate) const FUNCTION_ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:f";

pub(crate) struct World {
    dir: tempfile::TempDir,
    pub(crate) home: Home,
    pub(crate) retired: Arc<Mutex<Vec<VersionKey>>>,
    /// Set: the next commit is made and not acknowledged.
    pub(crate) lose_next: Arc<AtomicBool>,
    pub(crate) node: Arc<FakeNode>,
    functions: Option<Functions>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let mut world = Self {
            dir: tempfile::tempdir().unwrap(),
            home: "123456789012/eu-west-1".parse().unwrap(),
            retired: Arc::default(),
            lose_next: Arc::default(),
            node: Arc::default(),
            functions: None,
        };
        world.reopen().await;
        world
    }

    /// As after the end of the daemon and its next start.
    pub(crate) async fn reopen(&mut self) {
        self.open(usize::MAX).await.unwrap();
    }

    /// As after a start of the daemon, which is killed after so many commits.
    pub(crate) async fn open(&mut self, commits: usize) -> Result<(), OpenError> {
        self.functions = None;
        let store = self.open_store().await;
        let store: Arc<dyn Store> = Arc::new(Flaky::new(store, Arc::clone(&self.lose_next), commits));
        let packages = Packages::open(&self.dir.path().join("code"), PackageLimits::default()).unwrap();
        let iam = Arc::new(Iam::open(Arc::clone(&store)).await.unwrap());
        let config = FunctionsConfig { live_dirs: true, ..FunctionsConfig::new("eu-west-1".parse().unwrap()) };
        let retired = Arc::clone(&self.retired);
        let retire = Arc::new(move |keys| retired.lock().unwrap().extend::<Vec<VersionKey>>(keys));
        let functions = Functions::open(store, Arc::new(packages), iam, config, retire).await?;
        functions.connect(NodePorts { provisioner: Arc::clone(&self.node) as _ }).await;
        functions.prepare_with(&(Arc::clone(&self.node) as _));
        self.functions = Some(functions);
        Ok(())
    }

    /// Changes the stored records whose keys begin so, and starts again. Returns what was there before.
    pub(crate) async fn rewrite(&mut self, prefix: &str, change: impl Fn(&[u8]) -> Vec<u8>) -> Vec<(String, Vec<u8>)> {
        self.functions = None;
        let store = self.open_store().await;
        let partition = &format!("lambda/{}", self.home);
        let entries = store.list(partition, prefix, None, 1000).await.unwrap();
        assert!(!entries.is_empty(), "nothing begins with {prefix}");
        for entry in &entries {
            let put = StoreWrite::Put { key: entry.key.clone(), value: change(&entry.value).into() };
            store.commit(partition, vec![], vec![put]).await.unwrap();
        }
        drop(store);
        self.reopen().await;
        entries.into_iter().map(|entry| (entry.key, entry.value.to_vec())).collect()
    }

    /// The store, while no daemon has it.
    pub(crate) async fn take_store(&mut self) -> Embedded {
        self.functions = None;
        self.open_store().await
    }

    async fn open_store(&self) -> Embedded {
        tokio::task::yield_now().await;
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            match Embedded::open(&self.dir.path().join("store")) {
                Ok(store) => return store,
                Err(error) if Instant::now() > deadline => panic!("the store stays locked: {error}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    }

    pub(crate) fn functions(&self) -> &Functions {
        self.functions.as_ref().unwrap()
    }

    pub(crate) fn scope(&self) -> Scope<'_> {
        Scope {
            home: &self.home,
            principal: "arn:aws:iam::123456789012:root",
            now: NOW,
            endpoint: "http://127.0.0.1:4566",
        }
    }

    /// Creates `name` and waits until it is active.
    pub(crate) async fn create(&self, name: &str) -> FunctionConfiguration {
        self.functions().create_function(self.scope(), create(name)).await.unwrap();
        self.settled(name).await
    }

    /// The function's configuration once nothing is in progress.
    pub(crate) async fn settled(&self, name: &str) -> FunctionConfiguration {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let view = self.get(name, None).unwrap();
            if view.state == Some(State::Active) && view.last_update_status == Some(LastUpdateStatus::Successful) {
                return view;
            }
            assert!(Instant::now() < deadline, "{name} does not settle: {view:?}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    pub(crate) async fn until(&self, holds: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !holds() {
            assert!(Instant::now() < deadline, "it does not come to hold");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// `CodeSha256` of every package on the disk, sorted.
    pub(crate) fn packages(&self) -> Vec<Option<String>> {
        let names = std::fs::read_dir(self.dir.path().join("code/code")).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut digests: Vec<_> = names
            .map(|name| {
                let digest = hearth_types::Sha256::from_hex(&name).unwrap();
                Some(base64::engine::general_purpose::STANDARD.encode(digest.0))
            })
            .collect();
        digests.sort();
        digests
    }

    pub(crate) fn get(&self, name: &str, qualifier: Option<&str>) -> Result<FunctionConfiguration, ApiError> {
        let request =
            GetFunctionConfigurationRequest { function_name: name.into(), qualifier: qualifier.map(Into::into) };
        self.functions().get_function_configuration(self.scope(), &request)
    }

    pub(crate) async fn delete(&self, name: &str, qualifier: Option<&str>) -> Result<(), ApiError> {
        let request = DeleteFunctionRequest { function_name: name.into(), qualifier: qualifier.map(Into::into) };
        self.functions().delete_function(self.scope(), request).await
    }

    pub(crate) async fn publish(&self, name: &str) -> Result<FunctionConfiguration, ApiError> {
        let request = PublishVersionRequest { function_name: name.into(), ..Default::default() };
        self.functions().publish_version(self.scope(), request).await
    }

    /// Changes `$LATEST` in a way that makes another version of it, and waits.
    pub(crate) async fn touch(&self, name: &str, mark: &str) -> FunctionConfiguration {
        let request = UpdateFunctionConfigurationRequest {
            function_name: name.into(),
            handler: Some(format!("index.{mark}")),
            ..Default::default()
        };
        self.functions().update_function_configuration(self.scope(), request).await.unwrap();
        self.settled(name).await
    }

    pub(crate) async fn update_code(&self, name: &str, text: &str) -> Result<FunctionConfiguration, ApiError> {
        let request =
            UpdateFunctionCodeRequest { function_name: name.into(), zip_file: Some(zip(text)), ..Default::default() };
        self.functions().update_function_code(self.scope(), request).await
    }
}

pub(crate) fn create(name: &str) -> CreateFunctionRequest {
    CreateFunctionRequest {
        function_name: name.into(),
        role: "arn:aws:iam::123456789012:role/r".into(),
        code: FunctionCode { zip_file: Some(zip("def handler(e, c): return 1")), ..Default::default() },
        runtime: Some("python3.11".into()),
        handler: Some("index.handler".into()),
        ..Default::default()
    }
}

/// An archive of one file.
pub(crate) fn zip(text: &str) -> Blob {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file("index.py", zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(text.as_bytes()).unwrap();
    Blob(writer.finish().unwrap().into_inner())
}

/// `status Name: message`.
pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T, ApiError>) -> String {
    let error = result.unwrap_err();
    format!("{} {}: {}", error.status, error.name, error.message)
}

/// ARN of the account itself.
pub(crate) fn root(home: &hearth_types::Home) -> String {
    format!("arn:aws:iam::{}:root", home.account)
}
