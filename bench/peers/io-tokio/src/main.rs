// SPDX-License-Identifier: MIT

//! The echo server on tokio's current_thread runtime, a task a connection. It
//! prints "port N", then echoes until it is killed.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

async fn echo(mut connection: TcpStream) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    let mut buffer = vec![0; 65536];
    loop {
        let n = connection.read(&mut buffer).await?;
        if n == 0 {
            return Ok(());
        }
        connection.write_all(&buffer[..n]).await?;
    }
}

async fn serve() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("port {}", listener.local_addr()?.port());
    loop {
        let (connection, _) = listener.accept().await?;
        tokio::spawn(echo(connection));
    }
}

fn main() {
    let runtime = Builder::new_current_thread().enable_io().build().unwrap();
    runtime.block_on(async { tokio::spawn(serve()).await.unwrap() }).unwrap();
}
