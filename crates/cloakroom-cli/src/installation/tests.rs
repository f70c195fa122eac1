//! Which of flag, environment, file and default counts.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::Write;

use cloakroom_redis::{DEFAULT_PREFIX, DEFAULT_URL};
use tempfile::NamedTempFile;

use super::*;

const FILE: &str = "\
url = \"rediss://file.internal\"
prefix = \"file:\"
username = \"file-user\"
password = \"file-secret\"
database = 3
pool_size = 7
plaintext = \"allow\"
[tls]
";

fn options(url: Option<&str>, prefix: Option<&str>) -> Options {
    Options { url: url.map(str::to_owned), config: None, prefix: prefix.map(str::to_owned) }
}

fn merged(options: &Options, variables: &[(&str, &str)]) -> Result<RedisStorageConfig, Failure> {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    let environment = Environment::of(|name| variables.get(name).map(OsString::from))?;
    options.merge(&environment)
}

fn file() -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(FILE.as_bytes()).unwrap();
    file
}

#[test]
fn without_a_word_it_is_this_machine() {
    let config = merged(&options(None, None), &[("CLOAKROOM_REDIS_URL", "")]).unwrap();
    assert_eq!((config.url.as_str(), config.prefix.as_str()), (DEFAULT_URL, DEFAULT_PREFIX));
}

#[test]
fn a_flag_counts_before_the_environment_and_that_before_the_file() {
    let file = file();
    let path = file.path().to_str().unwrap();
    let all = [
        ("CLOAKROOM_REDIS_CONFIG", path),
        ("CLOAKROOM_REDIS_URL", "redis://localhost:1"),
        ("CLOAKROOM_REDIS_PREFIX", "environment:"),
    ];
    let shown = |options: &Options, variables: &[(&str, &str)]| {
        let config = merged(options, variables).unwrap();
        assert_eq!(config.pool_size, 7, "what is the storage's own stays");
        (config.url, config.prefix)
    };
    let (flags, none) = (options(Some("redis://localhost:2"), Some("flag:")), options(None, None));
    assert_eq!(shown(&flags, &all), ("redis://localhost:2".into(), "flag:".into()));
    assert_eq!(shown(&none, &all), ("redis://localhost:1".into(), "environment:".into()));
    assert_eq!(shown(&none, &all[..1]), ("rediss://file.internal".into(), "file:".into()));
}

#[test]
fn a_url_forgets_the_files_way_in_so_that_no_password_goes_astray() {
    let file = file();
    let mut given = options(Some("redis://localhost:2"), None);
    given.config = Some(file.path().to_owned());
    let config = merged(&given, &[]).unwrap();
    assert_eq!((config.username, config.password, config.database), (None, None, None));
    assert_eq!((config.tls, config.plaintext), (None, Plaintext::Loopback));
}

#[test]
fn a_password_of_the_environment_completes_a_url_that_has_none() {
    let variables =
        [("CLOAKROOM_REDIS_USERNAME", "ann"), ("CLOAKROOM_REDIS_PASSWORD", "correct-horse")];
    let config = merged(&options(Some("redis://localhost"), None), &variables).unwrap();
    assert_eq!(config.username.as_deref(), Some("ann"));
    assert_eq!(config.password, Some(Password::from("correct-horse")));
    let config = merged(&options(Some("redis://bob:own@localhost"), None), &variables).unwrap();
    assert_eq!((config.username, config.password), (None, None));
    let file = [("CLOAKROOM_REDIS_PASSWORD_FILE", "/run/secrets/redis")];
    let config = merged(&options(None, None), &file).unwrap();
    assert_eq!(config.password, Some(Password::file("/run/secrets/redis")));
    let both = [file[0], variables[1]];
    let refused = merged(&options(None, None), &both).unwrap_err().to_string();
    assert!(refused.contains("exclude each other") && !refused.contains("horse"), "{refused}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let variables = [("CLOAKROOM_REDIS_CONFIG", "/no/such/file.toml")];
    let refused = merged(&options(None, None), &variables).unwrap_err().to_string();
    assert!(refused.contains("/no/such/file.toml"), "{refused}");
}
