//! The server: connections in, responses out, and an orderly end.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hearth_capacity::CapacityPlan;
use hearth_engine::port::Invoker;
use hearth_functions::Functions;
use hearth_iam::Iam;
use hearth_iam::access::Access;
use hearth_logs::LogStore;
use hearth_types::{AccountId, Region, RequestId, Timestamp};
use http::header::HeaderValue;
use hyper::body::Incoming;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::{Authenticator, Principal, Rights};
use crate::body::BodyBudget;
use crate::connection::{self, Activity, ConnectionTimes};
use crate::context::{REQUEST_ID, Response};
use crate::entropy;
use crate::permit::Guard;
use crate::room::Room;

/// Pause after the system refused a connection, as it does while the process has too many files open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Of an answer, what the kernel takes before the client has room for it, bytes: nobody counts that.
const UNSENT_BYTES_MAX: u32 = 128 * 1024;

/// Connections that are accepted and wait for room.
const ENTERING_MAX: usize = 64;

/// What the operator decides.
#[derive(Clone, Debug)]
pub struct FrontendConfig {
    /// `Authorization: Bearer TOKEN` with it reads `/_hearth/metrics`.
    pub metrics_token: Option<String>,
    /// Of requests whose credentials name no account.
    pub default_account: AccountId,
    /// Users and sessions of roles may do what their policies say; else everything.
    pub policies: bool,
    /// Of requests that are not signed.
    pub default_region: Region,
    /// Beyond that those make room on which nothing happens.
    pub connections_max: usize,
    /// Memory for the bodies of all requests together, bytes.
    pub body_memory: usize,
    pub times: ConnectionTimes,
    /// For how long a body is waited for, and longer for what has come of it.
    pub body_time: Duration,
    /// What running requests get to finish after shutdown was asked for.
    pub drain_time: Duration,
}

impl FrontendConfig {
    pub fn new(default_account: AccountId, default_region: Region) -> Self {
        Self {
            metrics_token: None,
            policies: false,
            default_account,
            default_region,
            connections_max: 8192,
            body_memory: 512 * 1024 * 1024,
            times: ConnectionTimes { head: Duration::from_secs(30), idle: Duration::from_secs(60) },
            body_time: Duration::from_secs(30),
            drain_time: Duration::from_secs(30),
        }
    }
}

/// The rooms behind the front.
#[derive(Clone, Debug)]
pub struct Backends {
    pub functions: Arc<Functions>,
    /// Without keys any credentials pass; see [`crate::auth::check_exposure`].
    pub access: Arc<Access>,
    pub iam: Arc<Iam>,
    pub invoker: Arc<dyn Invoker>,
    pub logs: LogStore,
    pub capacity: CapacityPlan,
}

/// The function at the other end of a tunnel. The channel vouches for it: of what its requests are signed with only the Region counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FunctionIdentity {
    pub account: AccountId,
    pub region: Region,
    /// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/FUNCTION`.
    pub session_arn: String,
}

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub(crate) enum Peer {
    /// Must prove who it is; its address.
    Client(IpAddr),
    Function {
        principal: Arc<Principal>,
        region: Region,
    },
}

/// Serves every API; cheap to clone.
#[derive(Clone, Debug)]
pub struct Frontend {
    pub(crate) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: FrontendConfig,
    pub(crate) backends: Backends,
    pub(crate) authenticator: Authenticator,
    pub(crate) guard: Guard,
    pub(crate) budget: BodyBudget,
    /// Operations that must not be cut short when their client goes away.
    pub(crate) operations: TaskTracker,
    /// Ends what would otherwise go on for hours.
    pub(crate) stopping: CancellationToken,
}

impl Frontend {
    pub fn new(config: FrontendConfig, backends: Backends) -> Self {
        let authenticator = Authenticator::new(backends.access.clone(), config.default_account.clone());
        let budget = BodyBudget::new(config.body_memory);
        let guard = if config.policies { Guard::new(backends.iam.clone()) } else { Guard::lenient() };
        let (operations, stopping) = (TaskTracker::new(), CancellationToken::new());
        Self { shared: Arc::new(Shared { config, backends, authenticator, guard, budget, operations, stopping }) }
    }

    /// Accepts connections until `shutdown`; then stops listening at once, lets running requests finish for the
    /// configured time and cuts off the rest.
    pub async fn serve(&self, listener: TcpListener, shutdown: CancellationToken) {
        let room = Room::new(self.shared.config.connections_max);
        let entrance = Arc::new(Semaphore::new(ENTERING_MAX));
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = accept(&listener, &entrance) => {
                    if let Some((stream, address, entering)) = accepted {
                        let (frontend, room, shutdown) = (self.clone(), room.clone(), shutdown.clone());
                        connections.spawn(async move {
                            let place = tokio::select! {
                                place = room.enter() => place,
                                () = shutdown.cancelled() => None,
                            };
                            drop(entering);
                            if let Some(place) = place {
                                frontend.serve_stream(stream, Peer::Client(address), place.activity.clone(), shutdown).await;
                            }
                        });
                    }
                }
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
            }
        }
        drop(listener);
        self.shared.stopping.cancel();
        self.shared.operations.close();
        let finished = async {
            while connections.join_next().await.is_some() {}
            self.shared.operations.wait().await;
        };
        if tokio::time::timeout(self.shared.config.drain_time, finished).await.is_err() {
            tracing::warn!("requests still running after the drain time are cut off");
        }
    }

    /// Serves one connection out of a sandbox: the function's own AWS calls. Returns when the sandbox closes it.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection; operations that change state still finish.
    pub async fn serve_tunnel<I>(&self, io: I, identity: FunctionIdentity, shutdown: CancellationToken)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let session = identity.session_arn.rsplit('/').next().unwrap_or("function");
        let principal = Principal {
            user_id: format!("{}:{session}", hearth_iam::session::derived_id("AROA", &identity.session_arn)),
            account: identity.account,
            arn: identity.session_arn,
            rights: Rights::Account,
        };
        let peer = Peer::Function { principal: Arc::new(principal), region: identity.region };
        self.clone().serve_stream(io, peer, Arc::default(), shutdown).await;
    }

    async fn serve_stream<I>(self, io: I, peer: Peer, activity: Arc<Activity>, shutdown: CancellationToken)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let times = self.shared.config.times;
        let shared = self.shared;
        connection::drive(io, times, activity.clone(), shutdown, move |request| {
            let (shared, activity) = (shared.clone(), activity.clone());
            let peer = peer.clone();
            async move { respond(&shared, (&peer, &activity), request).await }
        })
        .await;
    }
}

/// The next connection; `None` if the system refused it.
async fn accept(
    listener: &TcpListener,
    entrance: &Arc<Semaphore>,
) -> Option<(TcpStream, IpAddr, OwnedSemaphorePermit)> {
    let permit = entrance.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, address)) => {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "cannot switch off delayed sending");
            }
            if let Err(error) = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT_BYTES_MAX) {
                tracing::debug!(%error, "cannot bound what waits to be sent");
            }
            Some((stream, address.ip(), permit))
        }
        Err(error) => {
            tracing::warn!(%error, "cannot accept a connection");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn respond(shared: &Arc<Shared>, from: (&Peer, &Activity), request: http::Request<Incoming>) -> Response {
    let request_id = entropy::request_id();
    let mut response = crate::dispatch::dispatch(shared, from, request_id, now(), request).await;
    if let http::header::Entry::Vacant(entry) = response.headers_mut().entry(REQUEST_ID) {
        entry.insert(header_of(&request_id));
    }
    response
}

fn header_of(request_id: &RequestId) -> HeaderValue {
    HeaderValue::try_from(request_id.to_string()).expect("a UUID is hexadecimal digits and hyphens")
}

fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}
