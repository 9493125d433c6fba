//! HTTP on hyper and tokio's current-thread runtime: `peer_hyper http` or `peer_hyper http-flushed`.
//!
//! The second asks hyper to gather the answers to pipelined requests.

use std::convert::Infallible;
use std::io;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use soquete_compare::peer;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, UnixStream};

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let arguments = peer::Arguments::read();
    let (socket, address) = peer::listen(&arguments.address)?;
    let listener = TcpListener::from_std(socket.into())?;
    let mut parent = UnixStream::from_std(peer::parent()?)?;
    tokio::spawn(async move {
        // Its end, however that comes, is the end of this.
        let _ = parent.read(&mut [0]).await;
        std::process::exit(0);
    });
    peer::announce(address);
    let mut http = http1::Builder::new();
    http.pipeline_flush(arguments.mode == "http-flushed");
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // A client that is gone ends its task with an error, which is no one's concern.
        tokio::spawn(http.serve_connection(TokioIo::new(stream), service_fn(hello)));
    }
}

async fn hello(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::from("Hello, world!\n"));
    if request.uri().path() != "/hello" {
        *response.status_mut() = StatusCode::NOT_FOUND;
        *response.body_mut() = Full::default();
    }
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    Ok(response)
}
