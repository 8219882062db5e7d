use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

/// Stands between a process and its endpoint, and kills the process at one of its calls.
pub struct Ambush {
    shared: Arc<Shared>,
    url: String,
}

struct Shared {
    endpoint: SocketAddr,
    /// Which call, counted from 1, and when.
    at: (usize, Moment),
    seen: AtomicUsize,
    victim: OnceLock<u32>,
}

/// When a process is killed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// Before the endpoint has the call.
    Before,
    /// While the endpoint has it.
    During,
    /// When the endpoint has answered, and before the process knows.
    After,
}

impl Moment {
    /// All of them.
    pub const ALL: [Moment; 3] = [Moment::Before, Moment::During, Moment::After];
}

impl Ambush {
    /// Lies in wait for the nth call.
    ///
    /// # Panics
    ///
    /// When no port can be had.
    #[must_use]
    pub fn at(endpoint: SocketAddr, nth: usize, moment: Moment) -> Ambush {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port is free");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let at = (nth, moment);
        let shared = Arc::new(Shared { endpoint, at, seen: AtomicUsize::new(0), victim: OnceLock::new() });
        let serving = shared.clone();
        // It ends with the test binary; a few sockets are nothing.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = serving.clone();
                // A connection that breaks is what this is for.
                thread::spawn(move || shared.carry(client));
            }
        });
        Ambush { shared, url }
    }

    /// Where the victim is to call.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Names the victim, by its process id.
    pub fn set_victim(&self, process: u32) {
        let _ = self.shared.victim.set(process);
    }

    /// How many calls came.
    #[must_use]
    pub fn seen(&self) -> usize {
        self.shared.seen.load(Ordering::Acquire)
    }
}

impl Shared {
    fn carry(&self, client: TcpStream) -> io::Result<()> {
        let endpoint = TcpStream::connect(self.endpoint)?;
        let (mut from_client, mut to_client) = (BufReader::new(client.try_clone()?), client);
        let (mut from_endpoint, mut to_endpoint) = (BufReader::new(endpoint.try_clone()?), endpoint);
        loop {
            let request = message(&mut from_client)?;
            let nth = self.seen.fetch_add(1, Ordering::AcqRel) + 1;
            let is_at = |moment| self.at == (nth, moment);
            if is_at(Moment::Before) {
                self.kill();
                return Ok(());
            }
            to_endpoint.write_all(&request)?;
            if is_at(Moment::During) {
                self.kill();
            }
            let answer = message(&mut from_endpoint)?;
            if is_at(Moment::After) {
                self.kill();
            }
            to_client.write_all(&answer)?;
        }
    }

    fn kill(&self) {
        let victim = self.victim.wait().to_string();
        let status = Command::new("kill").args(["-s", "KILL", &victim]).status();
        assert!(status.expect("`kill` runs").success());
    }
}

/// One request or answer of IAM or STS: a head, and a body of a length that the head tells.
fn message(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(line.as_bytes());
        let Some((name, value)) = line.split_once(':') else {
            if line == "\r\n" {
                break;
            }
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    from.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}
