//! A service: a table of its operations, and what is its own in how it refuses.
//!
//! A handler is `async fn(&Context<B>, Input) -> Result<Output, ApiError>` with the operation's own input and output; `B` is all that
//! the service's handlers reach. The request is authenticated, its body read in full within the limit of its route, and the
//! input checked against the model. It runs as a task of its own, so a client that goes away leaves nothing half done. Invoke
//! does not pass here.

use std::ops::Deref;
use std::pin::Pin;

use bytes::Bytes;
use hearth_aws_api::Service;
use hearth_aws_api::validate::{self, Refused};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::context::{RequestContext, Response};
use crate::error::ApiError;
use crate::permit::{Guard, Need};
use crate::protocol::Protocol;

/// What a handler gets beside its input.
#[derive(Clone, Debug)]
pub(crate) struct Context<B> {
    pub(crate) backend: B,
    pub(crate) request: RequestContext,
}

impl<B> Deref for Context<B> {
    type Target = RequestContext;

    fn deref(&self) -> &RequestContext {
        &self.request
    }
}

/// The operations of a service.
pub(crate) struct Table<B: 'static> {
    pub(crate) service: Service,
    pub(crate) operations: &'static [Entry<B>],
    /// What holds of every operation of the service, and may change for whom it is done.
    pub(crate) before: Before<B>,
    /// What a caller must be allowed for an operation with this input.
    pub(crate) needs: Needs<B>,
    /// The refusal of one who is not allowed, with what AWS tells it.
    pub(crate) denied: fn(String) -> ApiError,
    /// What the model has against an input, in the service's own words.
    pub(crate) words: fn(Refused) -> hearth_aws_api::ApiError,
    /// The refusal of an operation that is not in the table.
    pub(crate) unknown: fn(&str) -> ApiError,
}

/// An operation and its handler, whose types are [`table!`]'s to check.
pub(crate) struct Entry<B> {
    pub(crate) name: &'static str,
    pub(crate) run: Run<B>,
}

type Before<B> = fn(&mut Context<B>, &str, &Value) -> Result<(), ApiError>;
type Needs<B> = fn(&Context<B>, &str, &Value) -> Vec<Need>;
type Run<B> = for<'a> fn(&'a Context<B>, Value) -> Pin<Box<dyn Future<Output = Result<Answer, ApiError>> + Send + 'a>>;

/// What a handler answers.
pub(crate) enum Answer {
    /// The output's members, null if it has none.
    Members(Value),
    /// All of it, as of operations that answer with a stream.
    Whole(Response),
}

impl<B> Table<B> {
    /// Performs the operation that the request asks for.
    pub(crate) async fn handle(
        &self,
        guard: &Guard,
        mut context: Context<B>,
        protocol: Protocol,
        request: http::Request<Bytes>,
    ) -> Result<Response, ApiError> {
        let model = self.service.model();
        let mut asked = protocol.asked(model, request).ok_or_else(|| (self.unknown)(""))?;
        let entry = self.operations.iter().find(|entry| entry.name == asked.operation);
        let (Some(entry), Some(operation)) = (entry, model.operation(&asked.operation)) else {
            return Err((self.unknown)(&asked.operation.chars().take(128).collect::<String>()));
        };
        let mut input = asked.take_input(model, operation).map_err(self.words)?;
        if let Some(structure) = &operation.input {
            validate::check(model, structure, &mut input).map_err(self.words)?;
        }
        if guard.holds(&context.principal_arn) {
            for need in (self.needs)(&context, entry.name, &input) {
                // Whether another account lets the caller in is for `before`; here its own account has to.
                if let Some(message) = guard.denial((&*context).into(), &need, &context.account).await? {
                    return Err((self.denied)(message));
                }
            }
        }
        (self.before)(&mut context, entry.name, &input)?;
        match (entry.run)(&context, input).await? {
            Answer::Members(members) => Ok(asked.answer(model, operation, members, context.request_id)),
            Answer::Whole(response) => Ok(response),
        }
    }
}

/// The checked input as what the handler takes.
pub(crate) fn read<T: DeserializeOwned>(input: Value) -> Result<T, ApiError> {
    serde_json::from_value(input).map_err(|error| ApiError::bad_request("SerializationException", error.to_string()))
}

pub(crate) fn write<T: Serialize>(output: &T) -> Result<Answer, ApiError> {
    serde_json::to_value(output).map(Answer::Members).map_err(|error| {
        tracing::error!(%error, "cannot encode an answer");
        ApiError::service("An error occurred and the request cannot be processed.")
    })
}

/// Entries of a [`Table`]: `table! { logs, Logs; CreateLogGroup => groups::create, ... }` for the service whose shapes are in the
/// module `logs` and whose handlers reach `Logs`. With `via F` each handler runs through `F(context, input, handler)`. Behind
/// a second semicolon come operations whose handlers give the response themselves. With `|context, input|` an operation has
/// what becomes of the two instead of a handler.
macro_rules! table {
    ($service:ident, $backend:ty; $($operation:ident => $handler:expr,)*) => {
        &[$($crate::service::entry!($service, $backend, $operation, |context, input| {
            let output: $crate::service::Output<hearth_aws_api::shapes::$service::operation::$operation> =
                ($handler)(context, input).await?;
            $crate::service::write(&output)
        }),)*]
    };
    ($service:ident, $backend:ty, |$context:ident, $input:ident|; $($operation:ident => $output:expr,)*) => {
        &[$($crate::service::entry!($service, $backend, $operation, |$context, $input| {
            // Not every operation needs both.
            let _ = ($context, &$input);
            let output: $crate::service::Output<hearth_aws_api::shapes::$service::operation::$operation> = $output;
            $crate::service::write(&output)
        }),)*]
    };
    (
        $service:ident, $backend:ty, via $adapter:path;
        $($operation:ident => $handler:expr,)*
        $(; $($streaming:ident => $whole:expr,)*)?
    ) => {
        &[
            $($crate::service::entry!($service, $backend, $operation, |context, input| {
                let output: $crate::service::Output<hearth_aws_api::shapes::$service::operation::$operation> =
                    $adapter(context, input, $handler).await?;
                $crate::service::write(&output)
            }),)*
            $($($crate::service::entry!($service, $backend, $streaming, |context, input| {
                ($whole)(context, input).map($crate::service::Answer::Whole)
            }),)*)?
        ]
    };
}

/// One of [`table!`]: what is done with the input that was read.
macro_rules! entry {
    ($service:ident, $backend:ty, $operation:ident, |$context:ident, $input:ident| $body:expr) => {
        $crate::service::Entry {
            name: <hearth_aws_api::shapes::$service::operation::$operation as hearth_aws_api::shape::Operation>::NAME,
            run: |$context: &$crate::service::Context<$backend>, $input| {
                Box::pin(async move {
                    let $input: $crate::service::Input<hearth_aws_api::shapes::$service::operation::$operation> =
                        $crate::service::read($input)?;
                    $body
                })
            },
        }
    };
}

pub(crate) type Input<O> = <O as hearth_aws_api::shape::Operation>::Input;
pub(crate) type Output<O> = <O as hearth_aws_api::shape::Operation>::Output;

pub(crate) use {entry, table};
