//! A wire between the store and the server that can be cut, can swallow answers, and can wait for a word to do so.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the wire does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// Carries all.
    Whole,
    /// Ends every connection, new ones too.
    Cut,
    /// Carries what we say and nothing that the server says.
    Deaf,
    /// Whole until we say this, then cut: the server does not hear it.
    CutBefore(&'static [u8]),
    /// Whole until we say this, then deaf: the server hears it, we do not hear the answer.
    DeafAfter(&'static [u8]),
}

/// A door of its own before the server.
pub struct Proxy {
    pub address: SocketAddr,
    wire: watch::Sender<Wire>,
}

impl Proxy {
    /// Opens a door before `server`, `HOST:PORT`.
    pub async fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (wire, _) = watch::channel(Wire::Whole);
        let (server, state) = (server.to_owned(), wire.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *state.borrow() == Wire::Cut {
                    continue;
                }
                let server = TcpStream::connect(&server).await.expect("the server");
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(speak(from_client, to_server, state.clone()));
                tokio::spawn(listen(from_server, to_client, state.clone()));
            }
        });
        Self { address, wire }
    }

    pub fn set(&self, wire: Wire) {
        self.wire.send_replace(wire);
    }
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|some| some == word)
}

/// From us to the server.
async fn speak(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, wire: watch::Sender<Wire>) {
    let (mut changes, mut bytes) = (wire.subscribe(), vec![0; 1 << 16]);
    loop {
        let read = tokio::select! {
            read = from.read(&mut bytes) => read.unwrap_or(0),
            _ = changes.wait_for(|wire| *wire == Wire::Cut) => return,
        };
        let state = *wire.borrow();
        match state {
            Wire::CutBefore(word) if holds(&bytes[..read], word) => {
                wire.send_replace(Wire::Cut);
                return;
            }
            Wire::DeafAfter(word) if holds(&bytes[..read], word) => {
                wire.send_replace(Wire::Deaf);
            }
            _ => {}
        }
        if read == 0 || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

/// From the server to us.
async fn listen(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, wire: watch::Sender<Wire>) {
    let (mut changes, mut bytes) = (wire.subscribe(), vec![0; 1 << 16]);
    loop {
        let read = tokio::select! {
            read = from.read(&mut bytes) => read.unwrap_or(0),
            _ = changes.wait_for(|wire| *wire == Wire::Cut) => return,
        };
        let is_deaf = *wire.borrow() == Wire::Deaf;
        if read == 0 || (!is_deaf && to.write_all(&bytes[..read]).await.is_err()) {
            return;
        }
    }
}
