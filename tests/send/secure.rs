//! TLS and proxies, with curl's flags.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::Value;

use super::send;
use crate::support::certificates::Certificates;
use crate::support::program::{Finished, hookctl};
use crate::support::proxy::Proxy;
use crate::support::target::{OK, Target};

/// The `outcome` and the `error` of the first attempt.
fn outcome(finished: &Finished) -> (String, String) {
    let delivery = &finished.deliveries()[0];
    let text = |name: &str| delivery[name].as_str().unwrap_or_default().to_owned();
    (text("outcome"), text("error"))
}

const ONCE: [&str; 4] = ["success", "--retry", "none", "--json"];

#[test]
fn a_private_ca_is_trusted_with_cacert_or_insecure_only() {
    let certificates = Certificates::new();
    let target = Target::with_tls(&[OK], certificates.server(false));
    let (outcome, error) = outcome(&send(&target, &ONCE).exits(6));
    assert_eq!(outcome, "unreachable");
    assert_eq!(error, "the certificate of 127.0.0.1 is not trusted: its issuer is not known (use --cacert FILE or -k)");
    assert!(target.requests().is_empty(), "an untrusted server receives nothing");
    let ca = certificates.path("ca.pem");
    for flags in [vec!["--cacert", &ca], vec!["-k"], vec!["--insecure", "--http1.1"]] {
        send(&target, &[&ONCE, &flags[..]].concat()).exits(0);
    }
    // Consecutive sources share a TLS connection, too.
    send(&target, &["success", "failed", "--cacert", &ca]).exits(0);
    let requests = target.requests();
    assert_eq!(requests.len(), 5);
    assert_eq!(requests[3].connection, requests[4].connection);
}

#[test]
fn a_self_signed_certificate_is_trusted_for_its_own_name_only() {
    let certificates = Certificates::new();
    let target = Target::with_tls(&[OK], certificates.self_signed());
    let own = certificates.path("self.pem");
    let (_, error) = outcome(&send(&target, &ONCE).exits(6));
    assert!(error.contains("not trusted: "), "{error}");
    send(&target, &[&ONCE[..], &["--cacert", &own]].concat()).exits(0);
    // The same receiver by a name that is not in the certificate.
    let other = target.url.replace("127.0.0.1", "0.0.0.0");
    let flags = ["--cacert", &own, "--to", &other];
    let (outcome, error) = outcome(&hookctl(["send"].iter().chain(&ONCE).chain(&flags)).exits(6));
    assert_eq!(outcome, "unreachable");
    assert!(error.contains("it is for another name"), "{error}");
}

#[test]
fn a_receiver_gets_the_client_certificate_that_it_requests() {
    let certificates = Certificates::new();
    let target = Target::with_tls(&[OK], certificates.server(true));
    let [ca, cert, key, both] = ["ca.pem", "client.pem", "client.key", "both.pem"].map(|name| certificates.path(name));
    let trusting = [&ONCE[..], &["--cacert", &ca]].concat();
    let (outcome, error) = outcome(&send(&target, &trusting).exits(6));
    assert_eq!(outcome, "unreachable", "{error}");
    assert_eq!(error, "the receiver requires a client certificate (use --cert FILE and --key FILE)");
    send(&target, &[&trusting[..], &["--cert", &cert, "--key", &key]].concat()).exits(0);
    send(&target, &[&trusting[..], &["--cert", &both]].concat()).exits(0);
    assert_eq!(target.requests().len(), 2);
}

#[test]
fn https_to_a_plain_http_port_suggests_http() {
    for (answer, message) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "127.0.0.1 does not speak TLS here: is it http://?"),
        (b"", "127.0.0.1 closed the connection in the middle of the TLS handshake: is it http://?"),
    ] {
        let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
        let secure = format!("https://{}/", receiver.local_addr().unwrap());
        let plain = std::thread::spawn(move || {
            let (mut stream, _) = receiver.accept().unwrap();
            let _hello = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(answer).unwrap();
        });
        let (outcome, error) = outcome(&hookctl(["send"].iter().chain(&ONCE).chain(&["--to", &secure])).exits(6));
        assert_eq!((&*outcome, &*error), ("unreachable", message));
        plain.join().unwrap();
    }
}

#[test]
fn the_error_names_an_unusable_certificate_or_key_file() {
    let certificates = Certificates::new();
    let [ca, cert, key, other] =
        ["ca.pem", "client.pem", "client.key", "server.key"].map(|name| certificates.path(name));
    let cases: [(&[&str], i32, String); 8] = [
        (&["--cacert", "/no/such.pem"], 1, "cannot read /no/such.pem".into()),
        (&["--cacert", &key], 2, format!("--cacert: {key} holds no certificate in PEM form")),
        (&["--cert", &cert], 2, format!("--cert: {cert} holds no private key in PEM form (name it with --key FILE)")),
        (&["--cert", &cert, "--key", &ca], 2, format!("--key: {ca} holds no private key in PEM form")),
        (&["--cert", &cert, "--key", &other], 2, "--cert and --key do not match".into()),
        (&["--key", &key], 2, "--key needs --cert: name the certificate of the key".into()),
        (&["--proxy", "ftp://x"], 2, "write a proxy as host:port".into()),
        (&["--proxy", "http://user:word@"], 2, "write a proxy as host:port".into()),
    ];
    for (flags, code, message) in cases {
        let run = ["send", "success", "--to", "http://127.0.0.1:1"].iter().chain(flags);
        let finished = hookctl(run).exits(code).says(&message);
        assert_eq!(finished.stdout, "", "{flags:?}");
    }
}

#[test]
fn a_proxy_opens_a_tunnel_for_https() {
    let certificates = Certificates::new();
    let target = Target::with_tls(&[OK], certificates.server(false));
    let proxy = Proxy::start();
    let by = format!("http://me:pass@{}", proxy.address);
    let finished = send(&target, &["success", "failed", "-k", "--proxy", &by, "--json", "-v"]).exits(0);
    assert!(!format!("{finished:?}").contains("pass"), "{finished:#?}");
    let host = target.url.strip_prefix("https://").unwrap().strip_suffix("/hook").unwrap();
    let [head] = &proxy.heads()[..] else { panic!("one tunnel for both: {:?}", proxy.heads()) };
    assert!(head.starts_with(&format!("CONNECT {host} HTTP/1.1\r\n")), "{head}");
    assert!(head.to_lowercase().contains("proxy-authorization: basic bwu6cgfzcw=="), "{head}");
    for request in target.requests() {
        assert_eq!(request.line, "POST /hook HTTP/1.1");
        assert_eq!((request.header("host"), request.header("proxy-authorization")), (Some(host), None));
    }
}

#[test]
fn a_proxy_forwards_http() {
    // A documentation address (RFC 5737), which only the proxy answers.
    let proxy = Target::start(&[OK]);
    let by = proxy.url.strip_suffix("/hook").unwrap().replace("http://", "http://me:pass@");
    let to = "http://192.0.2.1:81/a?b=c";
    let finished = hookctl(["send", "success", "--to", to, "--proxy", &by, "--json"]).exits(0);
    assert!(!format!("{finished:?}").contains("pass"), "{finished:#?}");
    let record = &finished.deliveries()[0];
    assert_eq!((&record["target"], &record["url"]), (&Value::from("/a?b=c"), &Value::from(to)));
    let request = &proxy.requests()[0];
    assert_eq!(request.line, "POST http://192.0.2.1:81/a?b=c HTTP/1.1");
    assert_eq!(request.header("host"), Some("192.0.2.1:81"));
    assert_eq!(request.header("proxy-authorization"), Some("Basic bWU6cGFzcw=="));
}

#[test]
fn a_proxy_of_the_environment_is_for_others_than_this_machine() {
    let (proxy, target) = (Target::start(&[OK]), Target::start(&[OK]));
    let by = proxy.url.strip_suffix("/hook").unwrap();
    send(&target, &["success"]).env("http_proxy", by).exits(0);
    assert_eq!((proxy.requests().len(), target.requests().len()), (0, 1));
    send(&target, &["success", "--proxy", by]).exits(0);
    assert_eq!((proxy.requests().len(), target.requests().len()), (1, 1), "one that is named is taken at its word");
    // An address of this machine that does not bypass the proxy by itself.
    let far = target.url.replace("127.0.0.1", "0.0.0.0");
    let run = ["send", "success", "--to", &far];
    hookctl(run).env("http_proxy", by).exits(0);
    assert_eq!((proxy.requests().len(), target.requests().len()), (2, 1));
    hookctl(run).env("http_proxy", by).env("no_proxy", "0.0.0.0").exits(0);
    assert_eq!((proxy.requests().len(), target.requests().len()), (2, 2));
}

#[test]
fn the_error_names_an_unreachable_proxy() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap().to_string();
    drop(closed);
    for to in ["http://192.0.2.1/", "https://192.0.2.1/"] {
        let by = ["--to", to, "--proxy", &address];
        let (outcome, error) = outcome(&hookctl(["send"].iter().chain(&ONCE).chain(&by)).exits(6));
        assert_eq!(outcome, "unreachable");
        assert!(error.starts_with(&format!("through the proxy {address}: ")) && error.contains("refused"), "{error}");
    }
}
