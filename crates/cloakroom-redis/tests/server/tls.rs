//! Encrypted connections to a real server: who is believed, who is let in, and what is said to
//! those who are not, within the connection timeout.

use std::path::Path;
use std::time::{Duration, Instant};

use cloakroom::{ConfigError, ConfigErrorKind, SessionStorage};
use cloakroom_redis::{RedisSessionStorage, RedisSessionStorageBuilder, TlsConfig};
use cloakroom_testkit::{Certificates, ClientCertificate, RedisServer};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tempfile::TempDir;

use super::support::{everything_shown, holding, start, text};

const TIMEOUT: Duration = Duration::from_secs(2);

async fn serve(certificates: &Certificates, clients: ClientCertificate) -> RedisServer {
    RedisServer::builder().tls(certificates, clients).start().await.unwrap()
}

fn at(scheme: &str, host: &str, server: &RedisServer) -> RedisSessionStorageBuilder {
    let url = format!("{scheme}://{host}:{}", server.port());
    RedisSessionStorage::builder().url(url).pool_size(1).connection_timeout(TIMEOUT)
}

fn trusting(certificates: &Certificates) -> TlsConfig {
    TlsConfig::new().with_authority(certificates.authority())
}

/// The start is refused in time, with all of these words.
async fn refused(builder: RedisSessionStorageBuilder, parts: &[&str]) -> ConfigError {
    let start = Instant::now();
    let error = builder.build().await.unwrap_err();
    let elapsed = start.elapsed();
    assert!(elapsed < TIMEOUT + Duration::from_secs(1), "{elapsed:?}");
    for part in parts {
        assert!(everything_shown(&error).contains(part), "`{part}` is missing in: {error}");
    }
    error
}

async fn assert_works(builder: RedisSessionStorageBuilder) {
    let storage = builder.build().await.unwrap();
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("1"));
}

#[tokio::test]
async fn a_server_of_a_known_authority_is_believed_by_name_and_by_address() {
    let certificates = Certificates::create().unwrap();
    let server = serve(&certificates, ClientCertificate::Ignored).await;
    for host in ["localhost", "127.0.0.1"] {
        assert_works(at("rediss", host, &server).tls(trusting(&certificates))).await;
    }
    let ca = certificates.authority();
    let url = format!("valkeys://localhost:{}/3?ca={}", server.port(), ca.display());
    assert_works(RedisSessionStorage::builder().url(url)).await;
}

#[tokio::test]
async fn a_process_wide_provider_is_neither_needed_nor_installed() {
    let certificates = Certificates::create().unwrap();
    let server = serve(&certificates, ClientCertificate::Ignored).await;
    assert_works(at("rediss", "localhost", &server).tls(trusting(&certificates))).await;
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
}

#[tokio::test]
async fn an_authority_that_nobody_knows_is_not_believed() {
    let certificates = Certificates::create().unwrap();
    let server = serve(&certificates, ClientCertificate::Ignored).await;
    let other = Certificates::create().unwrap();
    let builder = at("rediss", "localhost", &server).tls(trusting(&other));
    let error = refused(builder, &["authority", "not trusted", "ca_file", "?ca="]).await;
    assert_eq!(error.kind(), ConfigErrorKind::Unreachable);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_believed() {
    let certificates = Certificates::create().unwrap();
    let server = serve(&certificates, ClientCertificate::Ignored).await;
    let builder = at("rediss", "127.0.0.2", &server).tls(trusting(&certificates));
    // The server listens on 127.0.0.1 alone; the forwarder is the other name.
    let forwarder = forward("127.0.0.2", server.port()).await;
    refused(builder, &["another name"]).await;
    forwarder.abort();
}

#[tokio::test]
async fn an_expired_certificate_is_not_believed() {
    let certificates = expired();
    let server = serve(&certificates, ClientCertificate::Ignored).await;
    let builder = at("rediss", "localhost", &server).tls(trusting(&certificates));
    refused(builder, &["expired", "renew"]).await;
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_is_shown_one() {
    let certificates = Certificates::create().unwrap();
    let server = serve(&certificates, ClientCertificate::Required).await;
    let (cert, key) = (certificates.client(), certificates.client_key());
    let shown = trusting(&certificates).with_certificate(&cert, &key);
    assert_works(at("rediss", "localhost", &server).tls(shown)).await;
    let ca = certificates.authority();
    let (ca, cert, key) = (ca.display(), cert.display(), key.display());
    let url = format!("rediss://localhost:{}?ca={ca}&cert={cert}&key={key}", server.port());
    assert_works(RedisSessionStorage::builder().url(url)).await;

    let builder = at("rediss", "localhost", &server).tls(trusting(&certificates));
    refused(builder, &["client's certificate", "cert_file"]).await;
    let other = Certificates::create().unwrap();
    let strange = trusting(&certificates).with_certificate(other.client(), other.client_key());
    let builder = at("rediss", "localhost", &server).tls(strange);
    refused(builder, &["does not accept the client's certificate"]).await;
}

#[tokio::test]
async fn a_plain_server_behind_an_encrypted_url_is_an_error_in_time() {
    let certificates = Certificates::create().unwrap();
    let server = start().await;
    let builder = at("rediss", "localhost", &server).tls(trusting(&certificates));
    refused(builder, &[&format!("localhost:{}", server.port()), "TLS"]).await;
}

#[tokio::test]
async fn an_encrypted_server_behind_a_plain_url_is_an_error_in_time() {
    let certificates = Certificates::create().unwrap();
    let server = serve(&certificates, ClientCertificate::Ignored).await;
    let parts = [format!("localhost:{}", server.port()), "rediss://".to_owned()];
    let parts: Vec<_> = parts.iter().map(String::as_str).collect();
    refused(at("redis", "localhost", &server), &parts).await;
}

#[tokio::test]
async fn certificates_that_are_replaced_are_read_again() {
    let (former, later) = (Certificates::create().unwrap(), Certificates::create().unwrap());
    let folder = TempDir::new().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::copy(former.authority(), &ca).unwrap();
    let server = serve(&former, ClientCertificate::Ignored).await;
    let port = server.port();
    let builder = at("rediss", "localhost", &server).tls(TlsConfig::new().with_authority(&ca));
    let storage = builder.build().await.unwrap();
    server.kill();
    let builder = RedisServer::builder().tls(&later, ClientCertificate::Ignored).port(port);
    let _server = builder.start().await.unwrap();
    assert!(storage.ping().await.is_err());

    // Half-written first, as a copying program leaves it.
    std::fs::write(&ca, "-----BEGIN CERTIFICATE-----\n").unwrap();
    assert!(storage.ping().await.is_err());
    std::fs::copy(later.authority(), &ca).unwrap();
    let start = Instant::now();
    while let Err(error) = storage.ping().await {
        assert!(start.elapsed() < Duration::from_secs(10), "{error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn files_that_are_missing_or_something_else_are_named() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::create().unwrap();
    let (ca, cert, key) =
        (certificates.authority(), certificates.client(), certificates.client_key());
    let missing = folder.path().join("missing.pem");
    let text = folder.path().join("text.pem");
    std::fs::write(&text, "correct-horse\n").unwrap();
    let half = folder.path().join("half.pem");
    std::fs::write(&half, "-----BEGIN CERTIFICATE-----\n!correct-horse!\n").unwrap();
    let with = |ca: &Path| TlsConfig::new().with_authority(ca);
    let mut alone = with(&ca);
    alone.cert_file = Some(cert.clone());
    let table = [
        (with(&missing), vec!["ca_file", "missing.pem", "cannot be read"]),
        (with(&text), vec!["ca_file", "text.pem", "no certificate"]),
        (with(&half), vec!["ca_file", "half.pem", "PEM"]),
        (with(&key), vec!["ca_file", "no certificate"]),
        (with(&ca).with_certificate(&missing, &key), vec!["cert_file", "cannot be read"]),
        (with(&ca).with_certificate(&cert, &missing), vec!["key_file", "cannot be read"]),
        (with(&ca).with_certificate(&cert, &text), vec!["key_file", "no private key"]),
        (with(&ca).with_certificate(&cert, &cert), vec!["key_file", "no private key"]),
        (
            with(&ca).with_certificate(&cert, certificates.server_key()),
            vec!["cert_file", "do not go together"],
        ),
        (alone, vec!["come together"]),
    ];
    for (tls, parts) in table {
        let builder = RedisSessionStorage::builder().url("rediss://localhost").tls(tls);
        let error = refused(builder, &parts).await;
        assert_eq!(error.kind(), ConfigErrorKind::Invalid, "{error}");
        assert_eq!(error.problems()[0].field, "tls", "{error}");
        assert!(!everything_shown(&error).contains("correct-horse"), "{error}");
    }
}

/// Lets a server be reached at another address of this machine.
async fn forward(host: &str, port: u16) -> tokio::task::JoinHandle<()> {
    let listener = tokio::net::TcpListener::bind((host, port)).await.unwrap();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut far = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    })
}

/// Certificates of which the server's own is from long ago.
fn expired() -> Certificates {
    let certificates = Certificates::create().unwrap();
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    std::fs::write(certificates.authority(), authority.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(authority, key);
    let mut server = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    server.not_before = date_time_ymd(2001, 1, 1);
    server.not_after = date_time_ymd(2002, 1, 1);
    let key = KeyPair::generate().unwrap();
    let signed = server.signed_by(&key, &issuer).unwrap();
    std::fs::write(certificates.server(), signed.pem()).unwrap();
    std::fs::write(certificates.server_key(), key.serialize_pem()).unwrap();
    certificates
}
