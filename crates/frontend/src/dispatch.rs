//! From a request to the service that answers it: authentication, the body within its limit, then the service.

use std::sync::Arc;

use bytes::Bytes;
use hearth_aws_api::Service;
use hearth_types::limits::SYNC_PAYLOAD_BYTES_MAX;
use hearth_types::{Home, RequestId, Timestamp};
use http::request::Parts;
use http::{Method, StatusCode};
use http_body::Body;

use crate::auth::{Admission, AuthError, Principal, Rights};
use crate::body::{BodyLimit, BudgetedBody, Claimant, Holder, Reader};
use crate::connection::Activity;
use crate::context::{RequestContext, Response};
use crate::error::ApiError;
use crate::invoke::request::Call;
use crate::invoke::{self, Authenticated};
use crate::protocol::Protocol;
use crate::refusal::{answers_not_read, body_not_taken, unauthenticated};
use crate::route::{self, Destination};
use crate::server::{Peer, Shared};
use crate::service::Context;
use crate::unsigned::{self, Place};
use crate::{admin, browser, iam, lambda, logs, package, sqs, sts};

/// Bodies of ordinary operations, bytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Bodies of CloudWatch Logs: a batch of events of 1 MiB and what JSON adds to it.
const LOGS_BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bodies that carry a package in base64, bytes. Source: what Lambda says when it refuses one.
const PACKAGE_BODY_BYTES_MAX: usize = 70_167_211;

/// Answers a request. The body type is a parameter so that tests need no socket.
pub(crate) async fn dispatch<B>(
    shared: &Arc<Shared>,
    (peer, activity): (&Peer, &Activity),
    request_id: RequestId,
    now: Timestamp,
    request: http::Request<B>,
) -> Response
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    let (parts, body) = request.into_parts();
    let exchange = Exchange { shared, peer, activity, request_id, now, parts: &parts };
    if exchange.is_unguarded() && browser::is_foreign_page(&parts) {
        let error = ApiError::new(StatusCode::FORBIDDEN, "AccessDeniedException", "Requests of web pages are refused");
        return error.into_response(Protocol::LAMBDA, &request_id);
    }
    if let Some(place) = unsigned::place(&parts) {
        return exchange.enter(place, body).await;
    }
    if let Some(call) = Call::of(&parts) {
        let result = exchange.invoke(call, body).await;
        return result.unwrap_or_else(|error| error.into_response(Protocol::LAMBDA, &request_id));
    }
    match route::of(&parts) {
        Destination::Service(service) => exchange.serve(service, body).await,
        Destination::Form => exchange.serve_form(body).await,
        Destination::Unsupported { name, protocol } => unsupported(&name).into_response(protocol, &request_id),
    }
}

/// A request on its way.
pub(crate) struct Exchange<'a> {
    pub(crate) shared: &'a Arc<Shared>,
    pub(crate) peer: &'a Peer,
    activity: &'a Activity,
    pub(crate) request_id: RequestId,
    pub(crate) now: Timestamp,
    pub(crate) parts: &'a Parts,
}

impl<'a> Exchange<'a> {
    fn is_unguarded(&self) -> bool {
        matches!(self.peer, Peer::Client(_)) && !self.shared.backends.access.is_guarded()
    }

    pub(crate) fn admit(&self) -> Result<Admission<'a>, AuthError> {
        match self.peer {
            // The channel vouches for the caller; the signature says which Region is asked.
            Peer::Function { principal, .. } => Admission::trusted(principal.clone()).asking(self.parts),
            Peer::Client(_) => {
                let sessions = self.shared.backends.iam.sessions();
                self.shared.authenticator.admit(self.parts, sessions, self.now)
            }
        }
    }

    /// Whether somebody who is proven may ask at all: an operator for the pages of the daemon alone, an account unless it is disabled.
    /// Who is both manages the daemon in any case: else nobody could enable its account again.
    pub(crate) fn authorise(&self, principal: &Principal) -> Result<(), AuthError> {
        match principal.rights {
            Rights::Operator | Rights::Everything if self.parts.uri.path().starts_with(admin::ROOT) => Ok(()),
            Rights::Operator => Err(AuthError::NoAccount),
            Rights::Account | Rights::Everything => {
                let account = &principal.account;
                let disabled = self.shared.backends.access.is_disabled(account);
                if disabled { Err(AuthError::Disabled(account.clone())) } else { Ok(()) }
            }
        }
    }

    /// The account that asks, in the Region that it signed for; else in the function's own, or the configured one.
    fn home(&self, admission: &Admission<'_>) -> Home {
        let region = admission.region.as_ref().unwrap_or(match self.peer {
            Peer::Function { region, .. } => region,
            Peer::Client(_) => &self.shared.config.default_region,
        });
        Home::new(admission.principal.account.clone(), region.clone())
    }

    pub(crate) fn context(&self, admission: &Admission<'_>) -> RequestContext {
        RequestContext {
            home: self.home(admission),
            request_id: self.request_id,
            principal_arn: admission.principal.arn.clone(),
            user_id: admission.principal.user_id.clone(),
            now: self.now,
            endpoint: format!("http://{}", unsigned::host(self.parts).unwrap_or("localhost")),
        }
    }

    /// The request's body, once it is proven whose it is. `operation` is what a refusal names.
    pub(crate) async fn take_body<B: Body<Data = Bytes> + Send + Unpin + 'static>(
        &self,
        admission: &Admission<'_>,
        body: B,
        (bytes_max, operation): (usize, &str),
        protocol: Protocol,
    ) -> Result<BudgetedBody, ApiError> {
        let not_taken = |error| body_not_taken(error, operation);
        let owner = || owner_of(&admission.principal);
        let holder = || match (admission.claimed_key(), self.peer) {
            (Some(key), Peer::Client(address)) => Holder::Claimed(Claimant::new(key, *address)),
            (_, Peer::Client(_) | Peer::Function { .. }) => owner(),
        };
        let limit = BodyLimit { bytes_max, time_max: self.shared.config.body_time };
        let wants_hash = admission.wants_hash(self.parts);
        let unproven = admission.claimed_key().map(|_key| self.activity.unproven());
        let mut body = self.shared.budget.read(body, limit, wants_hash, holder).await.map_err(not_taken)?;
        let (bytes, hash) = (std::mem::take(&mut body.bytes), body.sha256);
        let accepted = self.shared.authenticator.accept_body(admission, self.parts, bytes, hash);
        body.bytes = accepted.map_err(|error| unauthenticated(error, protocol))?;
        self.authorise(&admission.principal).map_err(|error| unauthenticated(error, protocol))?;
        drop(unproven);
        body.prove(owner).await.map_err(not_taken)?;
        self.shared.budget.may_ask(owner).await.map_err(|_no_room| answers_not_read())?;
        Ok(body)
    }

    /// Who reads the answer.
    fn reader(&self, principal: &Principal) -> Reader {
        self.shared.budget.reader(owner_of(principal), self.activity.given_up())
    }

    /// The answer, which counts as unread from now on if it is large.
    pub(crate) fn answer(&self, principal: &Principal, response: Response) -> Response {
        response.map(|body| body.counted(|| self.reader(principal)))
    }

    async fn enter<B: Body<Data = Bytes> + Send + Unpin + 'static>(&self, place: Place<'_>, body: B) -> Response {
        let result = match place {
            Place::Daemon => return admin::respond(self, body).await,
            Place::Package(code) => package::respond(self, code).await,
            Place::FunctionUrl(id) => Ok(unsigned::no_function_url(id)),
            Place::Api(id) => Err(unsigned::no_api(id)),
        };
        result.unwrap_or_else(|error| error.into_response(Protocol::LAMBDA, &self.request_id))
    }

    /// The hot path: nothing is copied and no task is made.
    async fn invoke<B: Body<Data = Bytes> + Send + Unpin + 'static>(
        &self,
        call: Call<'_>,
        body: B,
    ) -> Result<Response, ApiError> {
        let admission = self.admit().map_err(|error| unauthenticated(error, Protocol::LAMBDA))?;
        let limit = (SYNC_PAYLOAD_BYTES_MAX, call.operation.name());
        let payload = self.take_body(&admission, body, limit, Protocol::LAMBDA).await?.into_bytes();
        let request = Authenticated {
            call,
            parts: self.parts,
            home: &self.home(&admission),
            principal: &admission.principal.arn,
            request_id: self.request_id,
            payload,
            now: self.now,
        };
        let response =
            invoke::perform(&self.shared.backends, &self.shared.guard, request, || self.reader(&admission.principal))
                .await?;
        Ok(self.answer(&admission.principal, response))
    }

    async fn serve<B: Body<Data = Bytes> + Send + Unpin + 'static>(&self, service: Service, body: B) -> Response {
        let protocol = Protocol::of(service, self.parts);
        let result = self.receive(protocol, body_limit(service, self.parts), body).await;
        let result = match result {
            Ok((context, body, principal)) => {
                self.run((service, protocol), context, body).await.map(|response| self.answer(&principal, response))
            }
            Err(error) => Err(error),
        };
        result.unwrap_or_else(|error| error.into_response(protocol, &self.request_id))
    }

    async fn receive<B: Body<Data = Bytes> + Send + Unpin + 'static>(
        &self,
        protocol: Protocol,
        limit: (usize, &str),
        body: B,
    ) -> Result<(RequestContext, Bytes, Arc<Principal>), ApiError> {
        let admission = self.admit().map_err(|error| unauthenticated(error, protocol))?;
        let body = self.take_body(&admission, body, limit, protocol).await?;
        Ok((self.context(&admission), body.into_bytes(), admission.principal))
    }

    /// Only unsigned requests come here, so the body may be read before anything else is known.
    async fn serve_form<B: Body<Data = Bytes> + Send + Unpin + 'static>(&self, body: B) -> Response {
        let protocol = Protocol::of(Service::Sts, self.parts);
        let received = self.receive(protocol, (BODY_BYTES_MAX, "requested"), body).await;
        let (context, body, principal) = match received {
            Ok(received) => received,
            Err(error) => return error.into_response(protocol, &self.request_id),
        };
        match route::of_form(&String::from_utf8_lossy(&body)) {
            Destination::Service(service) => {
                let protocol = Protocol::of(service, self.parts);
                let result = self.run((service, protocol), context, body).await;
                let result = result.map(|response| self.answer(&principal, response));
                result.unwrap_or_else(|error| error.into_response(protocol, &self.request_id))
            }
            Destination::Form => unsupported("query").into_response(protocol, &self.request_id),
            Destination::Unsupported { name, protocol } => unsupported(&name).into_response(protocol, &self.request_id),
        }
    }

    /// Runs the operation as a task of its own: a change is not left half done when the client goes away.
    async fn run(
        &self,
        (service, protocol): (Service, Protocol),
        context: RequestContext,
        body: Bytes,
    ) -> Result<Response, ApiError> {
        let shared = self.shared.clone();
        let mut request = http::Request::new(body);
        *request.method_mut() = self.parts.method.clone();
        *request.uri_mut() = self.parts.uri.clone();
        *request.headers_mut() = self.parts.headers.clone();
        let task =
            self.shared.operations.spawn(async move { shared.handle(service, protocol, context, request).await });
        task.await.unwrap_or_else(|error| {
            tracing::error!(%error, request_id = %self.request_id, "an operation did not come to its end");
            Err(ApiError::service("An internal error occurred"))
        })
    }
}

impl Shared {
    async fn handle(
        &self,
        service: Service,
        protocol: Protocol,
        request_context: RequestContext,
        request: http::Request<Bytes>,
    ) -> Result<Response, ApiError> {
        match service {
            Service::Sts => {
                let context = Context { backend: self.backends.iam.clone(), request: request_context };
                sts::TABLE.handle(&self.guard, context, protocol, request).await
            }
            Service::Iam => {
                let context = Context { backend: self.backends.iam.clone(), request: request_context };
                iam::TABLE.handle(&self.guard, context, protocol, request).await
            }
            Service::Logs => {
                let backend = logs::Logs { store: self.backends.logs.clone(), stopping: self.stopping.clone() };
                logs::TABLE.handle(&self.guard, Context { backend, request: request_context }, protocol, request).await
            }
            Service::Sqs => {
                sqs::TABLE
                    .handle(&self.guard, Context { backend: (), request: request_context }, protocol, request)
                    .await
            }
            Service::Lambda => {
                let context = Context { backend: self.backends.functions.clone(), request: request_context };
                lambda::TABLE.handle(&self.guard, context, protocol, request).await
            }
            other => Err(unsupported(other.signing_name())),
        }
    }
}

fn owner_of(principal: &Principal) -> Holder {
    match principal {
        Principal { rights: Rights::Operator, .. } => Holder::Operator,
        Principal { account, .. } => Holder::Account(account.clone()),
    }
}

/// The largest body of a request and the operation that a refusal names.
fn body_limit(service: Service, parts: &Parts) -> (usize, &'static str) {
    let path = parts.uri.path().trim_end_matches('/');
    if service == Service::Lambda {
        if parts.method == Method::POST && path == "/2015-03-31/functions" {
            return (PACKAGE_BODY_BYTES_MAX, "CreateFunction");
        }
        if parts.method == Method::PUT && path.ends_with("/code") {
            return (PACKAGE_BODY_BYTES_MAX, "UpdateFunctionCode");
        }
        if parts.method == Method::POST && path.starts_with("/2018-10-31/layers/") && path.ends_with("/versions") {
            return (PACKAGE_BODY_BYTES_MAX, "PublishLayerVersion");
        }
    }
    (if service == Service::Logs { LOGS_BODY_BYTES_MAX } else { BODY_BYTES_MAX }, "requested")
}

/// 501: a service of AWS that Hearth does not speak.
fn unsupported(name: &str) -> ApiError {
    let spoken = route::SPOKEN.map(Service::signing_name);
    ApiError::new(
        StatusCode::NOT_IMPLEMENTED,
        "NotImplemented",
        format!("The service '{name}' is not available at this endpoint. Available are: {}", spoken.join(", ")),
    )
}
