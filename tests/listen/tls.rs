//! HTTPS: `--tls`, `--tls-cert`, `--tls-key`, seen by a sender that checks the certificate.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

use super::{BODY, HOOKCTL, SECRET, content, status};
use crate::support::certificates::Certificates;
use crate::support::listener::Listener;
use crate::support::program::hookctl;
use crate::support::target::{Answer, Target};

/// A sender's connection that trusts the certificates in this file.
fn connect(port: u16, cacert: &Path) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(cacert).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(connection, TcpStream::connect(("127.0.0.1", port)).unwrap())
}

/// Delivers over TLS: what came back, and why there is no more.
fn deliver(listener: &Listener, cacert: &Path) -> (String, Option<ErrorKind>) {
    deliver_to(listener.port, cacert)
}

fn deliver_to(port: u16, cacert: &Path) -> (String, Option<ErrorKind>) {
    let mut stream = connect(port, cacert);
    let head = format!("POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", BODY.len());
    stream.write_all(&[head.as_bytes(), BODY].concat()).unwrap();
    let mut answer = Vec::new();
    let ended = stream.read_to_end(&mut answer).err().map(|error| error.kind());
    (String::from_utf8(answer).unwrap(), ended)
}

/// A listener with a throw-away certificate, and where that lies.
fn throw_away(arguments: &[&str]) -> (Listener, std::path::PathBuf) {
    let listener = Listener::start(&[&["--tls"], arguments].concat());
    let cacert = listener.ready["cacert"].as_str().expect("a certificate").into();
    (listener, cacert)
}

#[test]
fn a_throw_away_certificate_is_trusted_by_those_who_are_told_and_goes_with_the_listener() {
    let (mut listener, cacert) = throw_away(&[]);
    assert_eq!(listener.url, format!("https://127.0.0.1:{}", listener.port));
    let (answer, _) = deliver(&listener, &cacert);
    assert_eq!((status(&answer), content(&answer)), (200, json!({"received": true})));
    assert_eq!(listener.next()["payload"]["id"], "p-1");
    hookctl(["send", "success", "--to", &listener.url, "--retry", "none"]).exits(6).prints("not trusted");
    listener.signal("TERM");
    let (code, _, said) = listener.wait();
    assert_eq!(code, Some(0));
    assert!(said.contains(cacert.to_str().unwrap()) && said.contains("SHA-256"), "{said}");
    assert!(said.contains("the sender does not trust the certificate"), "{said}");
    assert!(!cacert.exists());
}

#[test]
fn a_command_trusts_it_without_being_told() {
    let run = ["listen", "--port", "0", "--tls", "--json", "--secret", SECRET, "--", HOOKCTL, "send", "success"];
    let run = hookctl(run).exits(0);
    assert_eq!(run.deliveries()[0]["signature"]["verdict"], "verified");
}

#[test]
fn ones_own_certificate_may_have_its_key_beside_or_within() {
    let own = Certificates::new();
    let (cert, key, both) = (own.path("server.pem"), own.path("server.key"), own.path("server-both.pem"));
    for files in [&["--tls-cert", &cert, "--tls-key", &key][..], &["--tls-cert", &both]] {
        let listener = Listener::start(files);
        assert_eq!(listener.ready["cacert"], Value::Null);
        let (answer, _) = deliver(&listener, Path::new(&own.path("ca.pem")));
        assert_eq!(status(&answer), 200, "{files:?}");
    }
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let own = Certificates::new();
    let (cert, key, other) = (own.path("server.pem"), own.path("server.key"), own.path("client.key"));
    let readme = crate::support::repository("README.md").display().to_string();
    let cases: [(&[&str], i32, &[&str]); 7] = [
        (&["--tls-cert", "/nowhere/cert.pem"], 1, &["/nowhere/cert.pem"]),
        (&["--tls-cert", &cert, "--tls-key", "/nowhere/key.pem"], 1, &["/nowhere/key.pem"]),
        (&["--tls-cert", &readme], 2, &["--tls-cert", "README.md holds no certificate"]),
        (&["--tls-cert", &cert], 2, &["holds no private key", "--tls-key FILE"]),
        (&["--tls-cert", &cert, "--tls-key", &readme], 2, &["--tls-key", "README.md holds no private key"]),
        (&["--tls-cert", &cert, "--tls-key", &other], 2, &["--tls-cert and --tls-key cannot be used together"]),
        (&["--tls-key", &key], 2, &["--tls-cert"]),
    ];
    for (arguments, code, words) in cases {
        let run = hookctl([&["listen", "--port", "0"], arguments, &["--", "true"]].concat()).exits(code);
        for word in words {
            assert!(run.stderr.contains(word), "no {word} for {arguments:?}: {}", run.stderr);
        }
    }
}

#[test]
fn plain_http_is_told_where_it_has_come_to() {
    let (listener, _) = throw_away(&[]);
    let answer = listener.post("/", &[], BODY);
    assert_eq!(status(&answer), 400);
    assert!(answer.ends_with("this port speaks HTTPS: the URL must begin with https://\n"), "{answer}");
    // A look whether the port is open is no request.
    assert_eq!(listener.raw(b""), "");
    // What begins as TLS and is none.
    listener.raw(b"\x16nonsense");
    listener.signal("TERM");
    let (_, out, said) = listener.wait();
    assert!(said.contains("could not be read: it was plain HTTP"), "{said}");
    let summary: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!(summary["refused"], 2, "{said}");
}

#[test]
fn a_connection_that_says_nothing_does_not_hold_up_the_end() {
    let (listener, _) = throw_away(&[]);
    let _silent = TcpStream::connect(("127.0.0.1", listener.port)).unwrap();
    let mut begun = TcpStream::connect(("127.0.0.1", listener.port)).unwrap();
    begun.write_all(&[22, 3]).unwrap();
    let started = std::time::Instant::now();
    listener.signal("TERM");
    assert_eq!(listener.wait().0, Some(0));
    assert!(started.elapsed() < std::time::Duration::from_secs(4), "{:?}", started.elapsed());
}

#[test]
fn every_end_of_a_script_works_over_tls() {
    let (mut listener, cacert) = throw_away(&["--respond", "close,reset,truncate,hang=20ms,200"]);
    let ends: Vec<_> = (0..5).map(|_| deliver(&listener, &cacert)).collect();
    // Without a close_notify, which nobody who breaks off sends, the end of the stream is an error to TLS.
    let cut = Some(ErrorKind::UnexpectedEof);
    assert_eq!(ends[0], (String::new(), cut), "close");
    assert_eq!(ends[1], (String::new(), Some(ErrorKind::ConnectionReset)), "reset");
    assert!(ends[2].0.starts_with("HTTP/1.1 200 OK\r\n") && ends[2].0.ends_with("\r\n\r\n{\"received\":"), "{ends:?}");
    assert_eq!(ends[2].1, cut, "truncate");
    assert_eq!(ends[3], (String::new(), cut), "hang");
    assert_eq!(status(&ends[4].0), 200);
    let did = |record: Value| record["answer"]["did"].clone();
    let did: Vec<_> = (0..5).map(|_| did(listener.next())).collect();
    assert_eq!(json!(did), json!(["close", "reset", "truncate", "hang", null]));
}

#[test]
fn a_connection_over_tls_is_kept_alive() {
    let (mut listener, cacert) = throw_away(&[]);
    let mut stream = connect(listener.port, &cacert);
    let request = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", BODY.len());
    for seq in 1..=3 {
        stream.write_all(&[request.as_bytes(), BODY].concat()).unwrap();
        let mut answer = Vec::new();
        let mut piece = [0; 512];
        while !answer.ends_with(b"{\"received\":true}") {
            let read = stream.read(&mut piece).unwrap();
            assert!(read > 0, "the connection stays");
            answer.extend_from_slice(&piece[..read]);
        }
        assert_eq!(listener.next()["seq"], seq);
    }
    stream.sock.shutdown(Shutdown::Both).unwrap();
}

#[test]
fn what_is_in_flight_over_tls_is_recorded_when_the_listener_ends() {
    let app = Target::start(&[Answer::Hang]);
    let (mut listener, cacert) = throw_away(&["-f", &app.url]);
    let sender = {
        let (port, cacert) = (listener.port, cacert.clone());
        std::thread::spawn(move || deliver_to(port, &cacert).0)
    };
    while app.requests().is_empty() {
        std::thread::yield_now();
    }
    listener.signal("INT");
    assert_eq!(status(&sender.join().unwrap()), 504, "it was whole, so it is not cut off");
    assert_eq!(listener.next()["answer"]["status"], 504);
    let (_, _, said) = listener.wait();
    assert!(!said.contains("it was not whole"), "{said}");
}
