//! A road to a server of the tests that can be closed, or that loses answers.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A way to a server that tests can spoil.
#[derive(Debug)]
pub struct Road {
    address: SocketAddr,
    traffic: Arc<Mutex<Traffic>>,
}

#[derive(Debug, Default)]
struct Traffic {
    is_closed: bool,
    /// Every so many pieces of an answer, one is lost and its connection cut.
    cut_every: Option<u64>,
    pieces: u64,
    cuts: u64,
    open: Vec<TcpStream>,
}

impl Road {
    /// A road to `server` (`HOST:PORT`) that is open, and loses one of so many pieces of answers.
    pub fn to(server: &str, cut_every: Option<u64>) -> Self {
        Self::from(TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port"), server, cut_every)
    }

    /// An open road that begins at an address which the server names to its clients.
    pub fn at(address: &str, server: &str) -> Self {
        Self::from(TcpListener::bind(address).expect("nobody else listens there"), server, None)
    }

    fn from(listener: TcpListener, server: &str, cut_every: Option<u64>) -> Self {
        let address = listener.local_addr().expect("it is bound");
        let traffic = Arc::new(Mutex::new(Traffic { cut_every, ..Traffic::default() }));
        let shared = Arc::clone(&traffic);
        let server = server.to_owned();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (shared, server) = (Arc::clone(&shared), server.clone());
                std::thread::spawn(move || travel(client, &server, &shared));
            }
        });
        Self { address, traffic }
    }

    /// Where it begins.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many answers it has lost.
    pub fn cuts(&self) -> u64 {
        self.traffic.lock().expect("no traveller panics").cuts
    }

    /// Cuts what is under way and takes nobody.
    pub fn close(&self) {
        let mut traffic = self.traffic.lock().expect("no traveller panics");
        traffic.is_closed = true;
        for stream in traffic.open.drain(..) {
            // It may be gone already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Takes travellers again.
    pub fn reopen(&self) {
        self.traffic.lock().expect("no traveller panics").is_closed = false;
    }
}

fn travel(mut client: TcpStream, server: &str, traffic: &Mutex<Traffic>) {
    let Ok(mut server) = TcpStream::connect(server) else { return };
    {
        let mut traffic = traffic.lock().expect("no traveller panics");
        if traffic.is_closed {
            return;
        }
        traffic.open.extend([&client, &server].map(|s| s.try_clone().expect("a socket has handles to spare")));
    }
    let (mut asks, mut to_server) = (client.try_clone().expect("as above"), server.try_clone().expect("as above"));
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut asks, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let mut piece = vec![0; 64 * 1024];
    while let Ok(length) = server.read(&mut piece) {
        let is_lost = {
            let mut traffic = traffic.lock().expect("no traveller panics");
            traffic.pieces += 1;
            let is_lost = traffic.cut_every.is_some_and(|every| traffic.pieces.is_multiple_of(every));
            traffic.cuts += u64::from(is_lost);
            is_lost
        };
        if length == 0 || is_lost || client.write_all(&piece[..length]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}
