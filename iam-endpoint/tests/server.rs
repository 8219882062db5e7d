//! The endpoint on a port.
#![cfg(feature = "server")]
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use iam_endpoint::Endpoint;

fn exchange(server: &iam_endpoint::Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn it_answers_until_it_is_dropped() {
    let endpoint = Endpoint::new();
    let server = endpoint.serve(([127, 0, 0, 1], 0).into()).unwrap();
    let answer = exchange(&server, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
    assert!(answer.contains("x-amz-request-id: "), "{answer}");
    let event = endpoint.journal().last(1).remove(0);
    assert_eq!(event.principal, "anonymous");
    let address = server.address();
    drop(server);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn heads_without_end_are_refused() {
    let server = Endpoint::new().serve(([127, 0, 0, 1], 0).into()).unwrap();
    let answer = exchange(&server, &format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(1_000_000)));
    assert!(answer.starts_with("HTTP/1.1 431 ") || answer.is_empty(), "{answer}");
}

#[test]
fn an_address_that_others_reach_has_to_be_asked_for() {
    let endpoint = Endpoint::new();
    let refused = endpoint.serve(([0, 0, 0, 0], 0).into()).unwrap_err();
    assert!(refused.to_string().contains("`serve_beyond_loopback`"), "{refused}");
    assert!(endpoint.serve_beyond_loopback(([0, 0, 0, 0], 0).into()).is_ok());
}

/// The status line of the next answer, whose body is read too.
fn next_status(stream: &mut BufReader<TcpStream>) -> String {
    let (mut status, mut length) = (String::new(), 0);
    stream.read_line(&mut status).unwrap();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
    }
    stream.read_exact(&mut vec![0; length]).unwrap();
    status.trim().to_owned()
}

#[test]
fn many_connections_are_answered_one_request_after_the_other() {
    let server = Endpoint::new().serve(([127, 0, 0, 1], 0).into()).unwrap();
    let mut streams: Vec<_> =
        (0..300).map(|_| BufReader::new(TcpStream::connect(server.address()).unwrap())).collect();
    for _ in 0..3 {
        for stream in &mut streams {
            stream.get_mut().write_all(b"GET /b/k HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        }
        for stream in &mut streams {
            assert_eq!(next_status(stream), "HTTP/1.1 403 Forbidden");
        }
    }
    // They idle, so nobody waits for them.
    let start = Instant::now();
    drop(server);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn a_client_that_asks_before_it_sends_a_body_is_told_to_go_on() {
    let server = Endpoint::new().serve(([127, 0, 0, 1], 0).into()).unwrap();
    let mut stream = BufReader::new(TcpStream::connect(server.address()).unwrap());
    let head = b"PUT /b/k HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    stream.get_mut().write_all(head).unwrap();
    assert_eq!(next_status(&mut stream), "HTTP/1.1 100 Continue");
    stream.get_mut().write_all(b"ab").unwrap();
    assert_eq!(next_status(&mut stream), "HTTP/1.1 403 Forbidden");
}

#[test]
fn a_client_that_never_ends_its_request_does_not_keep_the_server() {
    let server = Endpoint::new().serve(([127, 0, 0, 1], 0).into()).unwrap();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(b"PUT /b/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\na").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let start = Instant::now();
    drop(server);
    assert!((4..8).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}
