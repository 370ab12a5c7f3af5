//! An orderly end.

use std::time::Duration;

use hearth_frontend::FrontendConfig;
use tokio::net::TcpStream;

use crate::world::{DEADLINE, World, config, send_on};

const INVOKE: &str = "/2015-03-31/functions/waiting/invocations";

#[tokio::test]
async fn running_requests_finish_and_new_connections_are_refused() {
    let world = World::start(config()).await;
    world.create("waiting").await;
    let mut stream = world.connect().await;
    let running = tokio::spawn(async move { send_on(&mut stream, "POST", INVOKE, &[], b"1").await });
    world.echo.started.notified().await;
    world.shutdown.cancel();
    tokio::time::timeout(DEADLINE, async {
        while TcpStream::connect(("127.0.0.1", world.port)).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("stops listening");
    assert!(!world.serving.is_finished());
    world.echo.release.notify_one();
    assert_eq!(running.await.unwrap().status, 200);
    tokio::time::timeout(DEADLINE, world.serving).await.expect("ends").unwrap();
}

#[tokio::test]
async fn requests_that_do_not_finish_are_cut_off_in_the_end() {
    let world = World::start(FrontendConfig { drain_time: Duration::from_millis(100), ..config() }).await;
    world.create("waiting").await;
    let mut stream = world.connect().await;
    let running = tokio::spawn(async move {
        let head = format!("POST {INVOKE} HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\n\r\n1");
        tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.unwrap();
        crate::world::receive(&mut stream).await
    });
    world.echo.started.notified().await;
    world.shutdown.cancel();
    tokio::time::timeout(DEADLINE, world.serving).await.expect("ends").unwrap();
    assert!(running.await.unwrap().is_none());
}
