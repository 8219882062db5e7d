//! The load generator: connections that each send a request, read the answer, and send it again.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

/// What came of some turns.
#[derive(Default)]
pub(crate) struct Measured {
    latencies: Vec<Duration>,
    took: Duration,
    /// Answers that are not a success.
    pub(crate) failures: usize,
}

impl Measured {
    pub(crate) fn add(&mut self, other: Measured) {
        self.latencies.extend(other.latencies);
        self.took += other.took;
        self.failures += other.failures;
    }

    #[expect(clippy::cast_precision_loss, reason = "nobody answers as many")]
    pub(crate) fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    pub(crate) fn percentile(&mut self, percent: usize) -> Duration {
        self.latencies.sort_unstable();
        self.latencies.get(self.latencies.len() * percent / 100).copied().unwrap_or_default()
    }
}

/// Asks for as long as a turn takes.
pub(crate) fn run(address: &str, request: &[u8], connections: usize, turn: Duration) -> Measured {
    let start = Instant::now();
    let mut measured = Measured::default();
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..connections).map(|_| scope.spawn(|| connection(address, request, start + turn))).collect();
        for thread in threads {
            measured.add(thread.join().expect("the connection is measured"));
        }
    });
    measured.took = start.elapsed();
    measured
}

fn connection(address: &str, request: &[u8], end: Instant) -> Measured {
    let mut measured = Measured::default();
    let mut open: Option<BufReader<TcpStream>> = None;
    while Instant::now() < end {
        let begun = Instant::now();
        let mut stream = open.take().unwrap_or_else(|| {
            let stream = TcpStream::connect(address).expect("the contestant listens");
            stream.set_nodelay(true).expect("a socket option");
            BufReader::new(stream)
        });
        stream.get_mut().write_all(request).expect("the contestant reads");
        let (status, stays) = answer(&mut stream).expect("the contestant answers");
        measured.latencies.push(begun.elapsed());
        measured.failures += usize::from(status != 200);
        // Some close the connection after each answer.
        open = stays.then_some(stream);
    }
    measured
}

/// The status of an answer, and whether the connection stays open.
fn answer(stream: &mut BufReader<TcpStream>) -> std::io::Result<(u16, bool)> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let status = line.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_default();
    let (mut length, mut chunked, mut stays) = (None, false, line.starts_with("HTTP/1.1"));
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let header = line.trim().to_ascii_lowercase();
        match header.split_once(": ") {
            Some(("content-length", value)) => length = value.parse().ok(),
            Some(("transfer-encoding", "chunked")) => chunked = true,
            Some(("connection", "close")) => stays = false,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = Vec::new();
    match length {
        Some(length) => body.resize(length, 0),
        None if chunked => loop {
            line.clear();
            stream.read_line(&mut line)?;
            let size = usize::from_str_radix(line.trim(), 16).unwrap_or_default();
            body.resize(size + 2, 0);
            stream.read_exact(&mut body)?;
            if size == 0 {
                return Ok((status, stays));
            }
        },
        None => {
            stream.read_to_end(&mut body)?;
            return Ok((status, false));
        }
    }
    stream.read_exact(&mut body)?;
    Ok((status, stays))
}
