//! Servers that speak TLS, and those who do not believe them.

use cloakroom_redis::{Severity, Topic, Verdict};
use cloakroom_testkit::{Certificates, ClientCertificate, RedisServer};

use super::support::{assert_found, assert_helps, examine, sound};

#[tokio::test]
async fn encryption_is_told_and_so_is_what_is_wrong_with_it() {
    let certificates = Certificates::create().unwrap();
    let server = sound().tls(&certificates, ClientCertificate::Ignored).start().await.unwrap();
    let (ca, url) = (certificates.authority(), server.plain_url());
    let diagnosis = examine(format!("{url}?ca={}", ca.display())).await;
    assert_helps(&diagnosis, Verdict::Sound);
    assert_found(&diagnosis, Topic::Encryption, Severity::Ok, &["TLS"]);

    let unknown = Certificates::create().unwrap();
    let diagnosis = examine(format!("{url}?ca={}", unknown.authority().display())).await;
    assert_helps(&diagnosis, Verdict::NotExamined);
    let words = ["authority", "not trusted", "ca_file"];
    assert_found(&diagnosis, Topic::Reachability, Severity::Error, &words);

    // Plain text to a port that speaks TLS.
    let diagnosis = examine(url.replace("rediss://", "redis://")).await;
    assert_helps(&diagnosis, Verdict::NotExamined);
    assert_found(&diagnosis, Topic::Reachability, Severity::Error, &["write rediss://"]);
}

#[tokio::test]
async fn who_needs_a_certificate_is_not_let_in_without_one() {
    let certificates = Certificates::create().unwrap();
    let server = RedisServer::builder().tls(&certificates, ClientCertificate::Required);
    let server = server.start().await.unwrap();
    let [ca, cert, key] =
        [certificates.authority(), certificates.client(), certificates.client_key()];
    let shown = format!("ca={}&cert={}&key={}", ca.display(), cert.display(), key.display());
    let diagnosis = examine(format!("{}?{shown}", server.plain_url())).await;
    assert_found(&diagnosis, Topic::User, Severity::Ok, &["nobody is let in without"]);
}

#[tokio::test]
async fn a_certificate_that_is_missing_is_told_as_that() {
    let certificates = Certificates::create().unwrap();
    let server = RedisServer::builder().tls(&certificates, ClientCertificate::Required);
    let server = server.start().await.unwrap();
    for _ in 0..5 {
        let ca = certificates.authority();
        let diagnosis = examine(format!("{}?ca={}", server.plain_url(), ca.display())).await;
        assert_helps(&diagnosis, Verdict::NotExamined);
        let words = ["wants to see a client's certificate", "cert_file"];
        assert_found(&diagnosis, Topic::Reachability, Severity::Error, &words);
    }
}
