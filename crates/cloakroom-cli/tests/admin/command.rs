//! `cloakroom admin` itself: how it is started, what it refuses, how it ends.

use cloakroom_testkit::RedisServer;
use serde_json::json;

use crate::support::admin::{Admin, PASSWORD, command, place_in, serve, sign_in};
use crate::support::webdriver::Browser;

#[tokio::test]
async fn a_password_that_was_drawn_opens_the_page_until_the_command_is_asked_to_end() {
    let redis = RedisServer::start().await.unwrap();
    let mut drawing = command(&["--listen", "127.0.0.1:0", "--operator", "grace"]);
    let (child, greeting) = serve(drawing.env("CLOAKROOM_REDIS_URL", redis.url())).await;
    let (_, rest) = greeting.split_once("Password         ").unwrap();
    let password = rest.split_whitespace().next().unwrap();
    assert_eq!(password.len(), 24, "{greeting}");
    let browser = Browser::start().await;
    browser.open(&place_in(&greeting)).await;
    browser.write("#name", "grace").await;
    browser.write("#password", password).await;
    browser.click("form button").await;
    browser.shows("[data-operator]", "grace").await;
    browser.quit().await;
    let process = child.id().unwrap().to_string();
    let told = tokio::process::Command::new("kill").args(["-TERM", &process]).status().await;
    assert!(told.unwrap().success());
    let left = child.wait_with_output().await.unwrap();
    let (output, errors) = (String::from_utf8(left.stdout), String::from_utf8(left.stderr));
    assert!(left.status.success() && output.unwrap().contains("has ended"));
    let errors = errors.unwrap();
    assert!(errors.lines().all(|entry| entry.contains("\"action\":\"sign_in\"")), "{errors}");
}

#[tokio::test]
async fn the_page_names_the_server_the_database_and_the_prefix() {
    let redis = RedisServer::start().await.unwrap();
    let url = format!("{}/3", redis.url());
    let mut other = command(&["--url", &url, "--prefix", "shop:", "--listen", "127.0.0.1:0"]);
    let (_child, greeting) = serve(other.env("CLOAKROOM_ADMIN_PASSWORD", PASSWORD)).await;
    let browser = Browser::start().await;
    sign_in(&browser, &place_in(&greeting)).await;
    let name = format!("Redis at 127.0.0.1:{}, database 3, prefix shop:", redis.port());
    browser.shows("[data-installation]", &name).await;
    browser.narrow().await;
    let widths = "return [innerWidth, document.documentElement.scrollWidth]";
    assert_eq!(browser.script(widths).await, json!([390, 390]));
    browser.quit().await;
}

#[tokio::test]
async fn the_command_refuses_what_is_not_safe() {
    for (arguments, line) in [
        (vec!["--listen", "0.0.0.0:0"], "--behind-tls"),
        (vec!["--password-file", "/no/such/file"], "/no/such/file"),
        (vec!["--url", "redis://192.0.2.1", "--listen", "127.0.0.1:0"], "plaintext"),
    ] {
        let left = command(&arguments).output().await.unwrap();
        let errors = String::from_utf8(left.stderr).unwrap();
        assert!(!left.status.success() && errors.contains(line), "{arguments:?}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
    let mut short = command(&[]);
    let left = short.env("CLOAKROOM_ADMIN_PASSWORD", "too short").output().await.unwrap();
    let errors = String::from_utf8(left.stderr).unwrap();
    assert!(errors.contains("16 characters") && !errors.contains("too short"), "{errors}");

    let admin = Admin::start().await;
    assert!(!admin.greeting.contains(PASSWORD), "{}", admin.greeting);
    assert!(admin.greeting.contains("the one that you have given"), "{}", admin.greeting);
}
