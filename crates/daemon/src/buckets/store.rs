//! A bucket of an S3-compatible store.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use hearth_engine::port::{ObjectError, ObjectName, ObjectStream};
use hearth_types::Region;
use http::header::HeaderValue;
use http::{Request, Uri};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use percent_encoding::{AsciiSet, utf8_percent_encode};

use super::refused;
use super::section::BucketSection;
use super::transfer::Transfer;
use crate::sign::{Signer, UNRESERVED};

const QUERY: &AsciiSet = &UNRESERVED.add(b'/');
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) type StoreClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

#[derive(Debug)]
pub(super) struct S3Store {
    pub(super) client: StoreClient,
    scheme: &'static str,
    authority: String,
    region: String,
    credentials: Credentials,
    path_style: bool,
    /// For a whole object.
    pub(super) timeout: Duration,
}

struct Credentials {
    id: String,
    secret: String,
    token: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.id)
    }
}

impl Credentials {
    fn of(section: &BucketSection, variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        if let (Some(id), Some(secret)) = (&section.access_key_id, &section.secret_access_key) {
            return Some(Self { id: id.clone(), secret: secret.clone(), token: None });
        }
        let (id, secret) = (variable("AWS_ACCESS_KEY_ID")?, variable("AWS_SECRET_ACCESS_KEY")?);
        Some(Self { id, secret, token: variable("AWS_SESSION_TOKEN") })
    }
}

impl S3Store {
    /// The section was found valid.
    pub(super) fn new(name: &str, section: &BucketSection, region: &Region) -> Result<Self> {
        let endpoint: Uri = section.endpoint.as_deref().unwrap_or_default().parse()?;
        let authority = endpoint.authority().context("the endpoint has no host")?.to_string();
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let credentials = Credentials::of(section, variable).with_context(|| {
            format!("code.buckets.{name:?} has no access_key_id, and the environment has no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        })?;
        let secure = endpoint.scheme_str() == Some("https");
        Ok(Self {
            client: client(secure)?,
            scheme: if secure { "https" } else { "http" },
            path_style: section.path_style.unwrap_or(!authority.ends_with("amazonaws.com")),
            authority,
            region: section.region.clone().unwrap_or_else(|| region.to_string()),
            credentials,
            timeout: if section.timeout_s == 0 { DEFAULT_TIMEOUT } else { Duration::from_secs(section.timeout_s) },
        })
    }

    pub(super) fn read(self: &Arc<Self>, object: ObjectName) -> ObjectStream {
        stream::try_unfold(Transfer::new(Arc::clone(self), object), Transfer::next).boxed()
    }

    /// A signed request for the object, from `from` on of the state that `etag` names.
    pub(super) fn request(
        &self,
        object: &ObjectName,
        resumed: Option<(u64, HeaderValue)>,
    ) -> Result<Request<Full<Bytes>>, ObjectError> {
        let key = utf8_percent_encode(&object.key, UNRESERVED);
        let bucket = &object.bucket;
        let query = match &object.version {
            Some(version) => format!("?versionId={}", utf8_percent_encode(version, QUERY)),
            None => String::new(),
        };
        let uri = if self.path_style {
            format!("{}://{}/{bucket}/{key}{query}", self.scheme, self.authority)
        } else {
            format!("{}://{bucket}.{}/{key}{query}", self.scheme, self.authority)
        };
        let mut request = Request::get(uri).body(Bytes::new()).map_err(|error| unsent(&error))?;
        if let Some((from, etag)) = resumed {
            let range = HeaderValue::try_from(format!("bytes={from}-")).map_err(|error| unsent(&error))?;
            request.headers_mut().insert(http::header::RANGE, range);
            request.headers_mut().insert(http::header::IF_MATCH, etag);
        }
        let Credentials { id, secret, token } = &self.credentials;
        let signer = Signer { id, secret, token: token.as_deref(), region: &self.region, service: "s3" };
        signer.sign(&mut request, std::time::SystemTime::now()).map_err(|error| unsent(&*error))?;
        Ok(request.map(Full::new))
    }
}

fn unsent(error: &dyn std::error::Error) -> ObjectError {
    refused("InvalidURI", &format!("The object cannot be asked for: {error}"))
}

fn client(secure: bool) -> Result<StoreClient> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_connect_timeout(Some(CONNECT_TIMEOUT));
    http.set_nodelay(true);
    let builder = HttpsConnectorBuilder::new();
    let connector = if secure {
        builder.with_native_roots().context("cannot read this machine's certificates of authorities")?
    } else {
        let roots = rustls::RootCertStore::empty();
        builder.with_tls_config(rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
    };
    let connector = connector.https_or_http().enable_http1().wrap_connector(http);
    Ok(Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).pool_max_idle_per_host(1).build(connector))
}
