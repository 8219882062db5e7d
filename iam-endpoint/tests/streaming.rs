//! Bodies that go through a server as they come, to an upstream and from it.
#![cfg(all(feature = "server", feature = "upstream"))]
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use common::{Client, put_in_chunks};
use http::Request;
use iam_endpoint::{Endpoint, Outcome, Server, Upstream};

const MIB: usize = 1024 * 1024;

/// What goes through at once; the process may grow by an eighth of it.
const LARGE: usize = 512 * MIB;

/// A server whose S3 is an emulator that takes one connection.
fn server<T: Send + 'static>(
    emulator: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (Client, Server, JoinHandle<T>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let upstream = Upstream::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let emulator = thread::spawn(move || emulator(listener.accept().unwrap().0));
    let endpoint = Endpoint::builder().perform(upstream.with_s3()).build();
    let server = endpoint.serve(([127, 0, 0, 1], 0).into()).unwrap();
    (Client::administrator(&endpoint), server, emulator)
}

/// Reads a head, with the length that it tells.
fn read_head(stream: &mut impl BufRead) -> (String, Option<usize>) {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(stream.read_line(&mut head).unwrap() > 0, "{head}");
    }
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    (head, length)
}

/// Counts what comes until the end, or until it breaks off.
fn count(mut stream: impl Read, at_most: usize) -> usize {
    std::io::copy(&mut stream.by_ref().take(at_most as u64), &mut std::io::sink())
        .map_or(0, |count| usize::try_from(count).unwrap())
}

/// Sends zeros, as many as are taken.
fn send(mut stream: impl Write, count: usize) {
    let _ = std::io::copy(&mut std::io::repeat(0).take(count as u64), &mut stream);
}

/// Takes an upload; gives its head, and whether all of it came.
fn take(stream: TcpStream) -> (String, bool) {
    let mut stream = BufReader::new(stream);
    let (head, length) = read_head(&mut stream);
    let is_whole = count(&mut stream, length.unwrap()) == length.unwrap();
    if is_whole {
        stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: \"1\"\r\n\r\n").unwrap();
    }
    (head, is_whole)
}

/// Sends the head of a signed request, which announces a body.
fn begin(server: &Server, request: &Request<Bytes>, length: usize) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let path = request.uri().path_and_query().unwrap();
    write!(stream, "{} {path} HTTP/1.1\r\nHost: {}\r\n", request.method(), server.address()).unwrap();
    for (name, value) in request.headers() {
        write!(stream, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
    }
    write!(stream, "Content-Length: {length}\r\n\r\n").unwrap();
    BufReader::new(stream)
}

fn get(client: &Client, server: &Server) -> BufReader<TcpStream> {
    let request = Request::get(format!("{}/bucket/key", server.url())).body(Bytes::new()).unwrap();
    begin(server, &client.sign("s3", request), 0)
}

fn put(client: &Client, server: &Server, hash: &str) -> Request<Bytes> {
    let request = Request::put(format!("{}/bucket/key", server.url()));
    client.sign("s3", request.header("x-amz-content-sha256", hash).body(Bytes::new()).unwrap())
}

/// The status and the body of an answer.
fn read_answer(stream: &mut BufReader<TcpStream>) -> (String, String) {
    let (head, length) = read_head(stream);
    let mut body = vec![0; length.unwrap_or_default()];
    stream.read_exact(&mut body).unwrap();
    (head[9..12].to_owned(), String::from_utf8(body).unwrap())
}

/// The most memory that this process has had.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads what Linux tells of a process")]
fn large_objects_go_through_both_ways_in_little_memory() {
    let (client, from, _emulator) = server(|mut stream| {
        read_head(&mut BufReader::new(&stream));
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n").unwrap();
        send(&stream, LARGE);
    });
    let mut stream = get(&client, &from);
    let (head, length) = read_head(&mut stream);
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert_eq!(length, Some(LARGE));
    assert_eq!(count(&mut stream, LARGE), LARGE);

    let (client, to, emulator) = server(take);
    let mut stream = begin(&to, &put(&client, &to, "UNSIGNED-PAYLOAD"), LARGE);
    send(stream.get_mut(), LARGE);
    assert_eq!(read_answer(&mut stream).0, "200");
    let (head, is_whole) = emulator.join().unwrap();
    assert!(is_whole);
    assert!(head.contains("x-amz-content-sha256: UNSIGNED-PAYLOAD\r\n"), "{head}");
    assert!(peak() < LARGE / 8, "{} MiB", peak() / MIB);
}

#[test]
fn an_answer_is_passed_on_before_its_end_is_known() {
    let (go_on, goes_on) = mpsc::channel();
    let (client, server, _emulator) = server(move |mut stream| {
        read_head(&mut BufReader::new(&stream));
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n").unwrap();
        goes_on.recv().unwrap();
        stream.write_all(b"3\r\ntwo\r\n0\r\n\r\n").unwrap();
    });
    let mut stream = get(&client, &server);
    read_head(&mut stream);
    let mut piece = [0; 8];
    stream.read_exact(&mut piece).unwrap();
    assert_eq!(&piece, b"3\r\none\r\n");
    go_on.send(()).unwrap();
    let mut rest = [0; 13];
    stream.read_exact(&mut rest).unwrap();
    assert_eq!(&rest, b"3\r\ntwo\r\n0\r\n\r\n");
}

#[test]
fn an_answer_that_breaks_off_is_never_a_whole_one() {
    for framing in [format!("Content-Length: {}", 4 * MIB), "Transfer-Encoding: chunked".to_owned()] {
        let (client, server, _emulator) = server(move |mut stream| {
            read_head(&mut BufReader::new(&stream));
            write!(stream, "HTTP/1.1 200 OK\r\n{framing}\r\n\r\n200000\r\n").unwrap();
            send(&stream, 2 * MIB);
        });
        let mut stream = get(&client, &server);
        let (_, length) = read_head(&mut stream);
        let mut body = Vec::new();
        let _ = stream.read_to_end(&mut body);
        assert!(body.len() < length.unwrap_or(usize::MAX), "{}", body.len());
        assert!(!body.ends_with(b"0\r\n\r\n"));
        let event = client.endpoint.journal().last(1).remove(0);
        assert_eq!(
            (event.status, event.outcome, event.code.as_deref()),
            (200, Outcome::Unavailable, Some("UpstreamUnavailable"))
        );
    }
}

#[tokio::test]
async fn a_call_in_the_process_that_breaks_off_is_an_error() {
    let (client, _server, _emulator) = server(|mut stream| {
        read_head(&mut BufReader::new(&stream));
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n").unwrap();
    });
    let request = Request::get("https://s3.us-east-1.amazonaws.com/bucket/key").body(Bytes::new()).unwrap();
    let answer = client.send("s3", request).await.fails(502, "UpstreamUnavailable");
    assert_eq!(answer.event.outcome, Outcome::Unavailable);
}

/// Sends an upload, and asserts that the upstream did not get it whole.
#[track_caller]
fn assert_cut_off(
    upload: impl FnOnce(&Client, &Server) -> (Request<Bytes>, Bytes),
    status: &str,
    code: &str,
) {
    let (client, server, emulator) = server(take);
    let (request, body) = upload(&client, &server);
    let mut stream = begin(&server, &request, body.len());
    stream.get_mut().write_all(&body).unwrap();
    let (answered, body) = read_answer(&mut stream);
    assert_eq!(answered, status, "{body}");
    assert!(body.contains(&format!("<Code>{code}</Code>")), "{body}");
    let (_, is_whole) = emulator.join().unwrap();
    assert!(!is_whole);
    let event = client.endpoint.journal().last(1).remove(0);
    assert_eq!((event.operation.as_str(), event.code.as_deref()), ("s3:PutObject", Some(code)));
}

#[test]
fn an_upload_that_is_not_what_was_signed_never_comes_to_its_end() {
    let chunk = "x".repeat(2 * MIB);
    let chunks = [chunk.as_str(), "the end"];
    let url = |server: &Server| format!("{}/bucket/key", server.url());
    let wrong_hash = hex::encode([7; 32]);
    assert_cut_off(
        |client, server| (put(client, server, &wrong_hash), chunk.clone().into()),
        "400",
        "XAmzContentSHA256Mismatch",
    );
    for (from, to) in [("the end", "the End"), ("xx\r\n", "xy\r\n")] {
        let forged = |client: &Client, server: &Server| {
            let request = put_in_chunks(client, &url(server), &chunks, None);
            let body = String::from_utf8_lossy(request.body()).replace(from, to);
            (request, body.into())
        };
        assert_cut_off(forged, "403", "SignatureDoesNotMatch");
    }
    let wrong_checksum = |client: &Client, server: &Server| {
        let request =
            put_in_chunks(client, &url(server), &chunks, Some(("x-amz-checksum-crc32", "AAAAAA==")));
        let body = request.body().clone();
        (request, body)
    };
    assert_cut_off(wrong_checksum, "400", "BadDigest");
}

#[test]
fn an_upload_in_chunks_goes_on_without_its_framing() {
    let chunk = "x".repeat(2 * MIB);
    let chunks = [chunk.as_str(), "the end"];
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(chunks.concat().as_bytes());
    let crc = base64_simd::STANDARD.encode_to_string(crc.to_be_bytes());
    for trailer in [None, Some(("x-amz-checksum-crc32", crc.as_str()))] {
        let (client, server, emulator) = server(take);
        let request = put_in_chunks(&client, &format!("{}/bucket/key", server.url()), &chunks, trailer);
        let mut stream = begin(&server, &request, request.body().len());
        stream.get_mut().write_all(request.body()).unwrap();
        let (status, body) = read_answer(&mut stream);
        assert_eq!(status, "200", "{body}");
        let (head, is_whole) = emulator.join().unwrap();
        assert!(is_whole);
        assert!(head.contains(&format!("content-length: {}\r\n", 2 * MIB + 7)), "{head}");
        assert!(!head.contains("aws-chunked"), "{head}");
    }
}

#[test]
fn an_upload_whose_client_goes_away_never_comes_to_its_end() {
    let (client, server, emulator) = server(take);
    let mut stream = begin(&server, &put(&client, &server, "UNSIGNED-PAYLOAD"), 4 * MIB);
    send(stream.get_mut(), 3 * MIB);
    drop(stream);
    assert!(!emulator.join().unwrap().1);
}

#[tokio::test]
async fn an_upload_that_is_denied_does_not_begin() {
    let (client, server, _emulator) = server(take);
    let reader = client.user("reader", &common::allowing(r#""s3:GetObject""#)).await;
    let mut stream = begin(&server, &put(&reader, &server, "UNSIGNED-PAYLOAD"), 8 * MIB);
    // The client reads the answer only once it has sent all.
    send(stream.get_mut(), 8 * MIB);
    let (status, body) = read_answer(&mut stream);
    assert_eq!(status, "403", "{body}");
    assert!(body.contains("is not authorized to perform: s3:PutObject"), "{body}");
}

/// Invokes a function with as large a payload, whose hash the head tells or not.
fn invoke(client: &Client, server: &Server, hash: Option<&str>, payload: &Bytes) -> Request<Bytes> {
    let url = format!("{}/2015-03-31/functions/f/invocations", server.url());
    let request = Request::post(url).header("content-type", "application/octet-stream");
    let request =
        hash.into_iter().fold(request, |request, hash| request.header("x-amz-content-sha256", hash));
    client.sign("lambda", request.body(payload.clone()).unwrap())
}

#[tokio::test]
async fn a_blob_goes_on_to_any_service_as_it_comes_where_its_hash_is_known_before() {
    let payload = Bytes::from(vec![b'x'; 2 * MIB]);
    let right = {
        use sha2::Digest;
        hex::encode(sha2::Sha256::digest(&payload))
    };
    let (has_begun, begins) = mpsc::channel();
    let (client, server, emulator) = server(move |stream| {
        let mut stream = BufReader::new(stream);
        let (head, length) = read_head(&mut stream);
        has_begun.send(()).unwrap();
        let is_whole = count(&mut stream, length.unwrap()) == length.unwrap();
        stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
        (head, is_whole)
    });
    let request = invoke(&client, &server, Some(&right), &payload);
    let mut stream = begin(&server, &request, payload.len());
    stream.get_mut().write_all(&payload[..MIB]).unwrap();
    // The emulator is asked before the rest has come.
    begins.recv_timeout(std::time::Duration::from_secs(20)).unwrap();
    stream.get_mut().write_all(&payload[MIB..]).unwrap();
    assert_eq!(read_answer(&mut stream).0, "200");
    let (head, is_whole) = emulator.join().unwrap();
    assert!(is_whole && head.contains(&format!("x-amz-content-sha256: {right}\r\n")), "{head}");
    assert_eq!(client.endpoint.journal().last(1).remove(0).operation, "lambda:Invoke");
}

#[test]
fn a_blob_that_is_not_what_was_signed_never_comes_to_its_end() {
    let payload = Bytes::from(vec![b'x'; 2 * MIB]);
    let (client, server, emulator) = server(take);
    let request = invoke(&client, &server, Some(&hex::encode([7; 32])), &payload);
    let mut stream = begin(&server, &request, payload.len());
    stream.get_mut().write_all(&payload).unwrap();
    let (status, body) = read_answer(&mut stream);
    assert_eq!(status, "403", "{body}");
    assert!(!emulator.join().unwrap().1);
}

#[test]
fn a_blob_whose_hash_is_not_told_is_read_before_it_goes_on() {
    let payload = Bytes::from(vec![b'x'; 2 * MIB]);
    let (client, server, emulator) = server(take);
    let mut stream = begin(&server, &invoke(&client, &server, None, &payload), payload.len());
    stream.get_mut().write_all(&payload).unwrap();
    assert_eq!(read_answer(&mut stream).0, "200");
    assert!(emulator.join().unwrap().1);
}
