//! Greets, and says which invocation this sandbox is at: state lives as long as the sandbox.

use std::sync::atomic::{AtomicU64, Ordering};

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Greet {
    #[serde(default = "world")]
    name: String,
}

#[derive(Serialize)]
struct Greeting {
    message: String,
    function: String,
    invocation: u64,
}

fn world() -> String {
    "world".to_owned()
}

static INVOCATIONS: AtomicU64 = AtomicU64::new(0);

async fn greet(event: LambdaEvent<Greet>) -> Result<Greeting, Error> {
    println!("greeting {}", event.payload.name);
    Ok(Greeting {
        message: format!("Hello, {}!", event.payload.name),
        function: event.context.env_config.function_name.clone(),
        invocation: INVOCATIONS.fetch_add(1, Ordering::Relaxed) + 1,
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(greet)).await
}
