//! The endpoint on a port.
#![cfg(feature = "server")]
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::{Read, Write};
use std::net::TcpStream;

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
