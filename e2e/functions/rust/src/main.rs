//! Sample functions of the end-to-end suite; `_HANDLER` chooses one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lambda_runtime::streaming::channel;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

static CALLS: AtomicU64 = AtomicU64::new(0);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let handler = std::env::var("_HANDLER").unwrap_or_default();
    match handler.as_str() {
        "echo" => run(service_fn(async |event: LambdaEvent<Value>| Ok::<_, Error>(event.payload))).await,
        "context" => run(service_fn(context)).await,
        "sleep" => run(service_fn(sleep)).await,
        "version" => run(service_fn(version)).await,
        "fail" => run(service_fn(fail)).await,
        "panic" => run(service_fn(panicking)).await,
        "exit" => run(service_fn(exiting)).await,
        "stream" => run(service_fn(stream)).await,
        "clone" => {
            std::thread::sleep(Duration::from_millis(300));
            let init = std::time::Instant::now();
            run(service_fn(move |event: LambdaEvent<Value>| std::future::ready(clone(event, init)))).await
        }
        "init-error" => Err("no database today".into()),
        other => Err(format!("there is no handler {other:?}").into()),
    }
}

async fn context(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let context = event.context;
    Ok(json!({
        "event": event.payload,
        "request_id": context.request_id,
        "deadline": context.deadline,
        "invoked_function_arn": context.invoked_function_arn,
        "xray_trace_id": context.xray_trace_id,
        "client_context": context.client_context,
        "function_name": context.env_config.function_name,
        "memory": context.env_config.memory,
        "version": context.env_config.version,
        "log_group": context.env_config.log_group,
        "log_stream": context.env_config.log_stream,
        "calls": CALLS.fetch_add(1, Ordering::Relaxed) + 1,
        "environment": std::env::vars().collect::<std::collections::BTreeMap<_, _>>(),
    }))
}

/// Draws from the kernel, as the usual crates do.
fn clone(event: LambdaEvent<Value>, init: std::time::Instant) -> Result<Value, Error> {
    use std::io::Read as _;
    let mut bytes = [0; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(json!({
        "drawn": {
            "bytes": format!("{bytes:02x?}"),
            "uuid": std::fs::read_to_string("/proc/sys/kernel/random/uuid")?.trim(),
        },
        "wall": wall.as_secs_f64(),
        "monotonic": init.elapsed().as_secs_f64(),
        "initialization": std::env::var("AWS_LAMBDA_INITIALIZATION_TYPE")?,
        "request_id": event.context.request_id,
    }))
}

async fn sleep(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let seconds = event.payload["seconds"].as_f64().unwrap_or(0.0);
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    Ok(json!({"slept": seconds, "request_id": event.context.request_id}))
}

/// Which deployment answers: of the code (a file in the package) and of the configuration (the environment).
async fn version(_event: LambdaEvent<Value>) -> Result<Value, Error> {
    let root = std::env::var("LAMBDA_TASK_ROOT")?;
    let code: u64 = std::fs::read_to_string(format!("{root}/version.txt"))?.trim().parse()?;
    let configuration: u64 = std::env::var("CONFIGURATION")?.parse()?;
    Ok(json!({"code": code, "configuration": configuration}))
}

async fn fail(event: LambdaEvent<Value>) -> Result<Value, Error> {
    println!("about to fail");
    Err(std::io::Error::other(event.payload["message"].as_str().unwrap_or("failed").to_owned()).into())
}

async fn panicking(_event: LambdaEvent<Value>) -> Result<Value, Error> {
    panic!("panic in the handler");
}

async fn exiting(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let code = event.payload["code"].as_i64().unwrap_or(3);
    std::process::exit(i32::try_from(code)?);
}

async fn stream(event: LambdaEvent<Value>) -> Result<lambda_runtime::streaming::Response<lambda_runtime::streaming::Body>, Error> {
    let chunks = event.payload["chunks"].as_u64().unwrap_or(3);
    let pause = Duration::from_millis(event.payload["pause_ms"].as_u64().unwrap_or(0));
    let (mut sender, body) = channel();
    tokio::spawn(async move {
        for index in 0..chunks {
            if sender.send_data(format!("chunk {index}\n").into()).await.is_err() {
                return;
            }
            tokio::time::sleep(pause).await;
        }
    });
    Ok(lambda_runtime::streaming::Response::from(body))
}
