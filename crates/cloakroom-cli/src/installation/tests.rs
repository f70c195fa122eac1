//! Which of flag, environment, file and default counts.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::Write;

use cloakroom_redis::{DEFAULT_PREFIX, DEFAULT_URL, Password, Plaintext};
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

/// Without a word about the server.
const PREFIX_ONLY: &str = "prefix = \"file:\"";
const NO_PASSWORD: &str = "url = \"redis://staging:1\"\nprefix = \"staging:\"";
const OF_SHOP: &str = "url = \"redis://staging:1\"\nusername = \"shop\"";
const OWN: &str = "url = \"redis://staging:1\"\nusername = \"own\"\npassword = \"own-secret\"";

const URL: &str = "redis://production:1";
const ELSEWHERE: &str = "redis://elsewhere:1";

/// Flags and variables, and the server, the user, the password and the prefix that count.
struct Case {
    flags: [Option<&'static str>; 3],
    variables: [Option<&'static str>; 5],
    counts: [Option<&'static str>; 4],
}

/// Writes a case in the order of the fields: URL, text of the file, prefix; the same and a login.
fn case(
    flags: [Option<&'static str>; 3],
    variables: [Option<&'static str>; 5],
    counts: [Option<&'static str>; 4],
) -> Case {
    Case { flags, variables, counts }
}

#[test]
fn what_a_flag_names_stands_alone_and_no_login_reaches_another_server() {
    let (n, login) = (None, [Some("prod"), Some("secret")]);
    let of = |url, file, prefix| [url, file, prefix, login[0], login[1]];
    let staging = Some("redis://staging:1");
    let usual = Some(DEFAULT_PREFIX);
    for (at, case) in [
        // A file of a flag beats the URL, the prefix and the login of the environment.
        case(
            [n, Some(NO_PASSWORD), n],
            of(Some(URL), n, Some("env:")),
            [staging, n, n, Some("staging:")],
        ),
        case(
            [n, Some(OWN), n],
            of(Some(URL), n, n),
            [staging, Some("own"), Some("own-secret"), usual],
        ),
        case([n, Some(OWN), n], of(n, n, n), [staging, Some("own"), Some("own-secret"), usual]),
        case([n, Some(NO_PASSWORD), n], of(n, Some(OWN), n), [staging, n, n, Some("staging:")]),
        // The environment says what neither flags nor file do.
        case(
            [n, Some(NO_PASSWORD), n],
            of(n, n, n),
            [staging, Some("prod"), Some("secret"), Some("staging:")],
        ),
        case(
            [n, Some(OWN), n],
            [n, n, Some("env:"), n, n],
            [staging, Some("own"), Some("own-secret"), Some("env:")],
        ),
        case(
            [n, Some(PREFIX_ONLY), n],
            of(Some(URL), n, n),
            [Some(URL), Some("prod"), Some("secret"), Some("file:")],
        ),
        // Another one's password is not tried on a user whom the file names.
        case([n, Some(OF_SHOP), n], of(n, n, n), [staging, Some("shop"), n, usual]),
        case(
            [n, Some(OF_SHOP), n],
            [n, n, n, n, login[1]],
            [staging, Some("shop"), Some("secret"), usual],
        ),
        // A URL of a flag.
        case(
            [Some(ELSEWHERE), n, n],
            of(Some(URL), n, Some("env:")),
            [Some(ELSEWHERE), n, n, Some("env:")],
        ),
        case([Some(ELSEWHERE), n, n], of(n, Some(OWN), n), [Some(ELSEWHERE), n, n, usual]),
        case(
            [Some(ELSEWHERE), n, n],
            of(n, n, n),
            [Some(ELSEWHERE), Some("prod"), Some("secret"), usual],
        ),
        case(
            [Some(URL), n, n],
            of(Some(URL), n, n),
            [Some(URL), Some("prod"), Some("secret"), usual],
        ),
        case(
            [Some(ELSEWHERE), Some(OWN), Some("flag:")],
            of(Some(URL), n, n),
            [Some(ELSEWHERE), n, n, Some("flag:")],
        ),
        // The environment alone.
        case(
            [n, n, n],
            of(Some(URL), Some(OWN), n),
            [Some(URL), Some("prod"), Some("secret"), usual],
        ),
        case([n, n, n], of(n, Some(OWN), n), [staging, Some("prod"), Some("secret"), usual]),
        case([n, n, n], of(n, n, n), [Some(DEFAULT_URL), Some("prod"), Some("secret"), usual]),
        // A user of a URL is completed by that user's password only.
        case(
            [n, n, n],
            [Some("redis://ann@h"), n, n, n, login[1]],
            [Some("redis://ann@h"), n, Some("secret"), usual],
        ),
        case(
            [n, n, n],
            [Some("redis://ann@h"), n, n, Some("ann"), login[1]],
            [Some("redis://ann@h"), n, Some("secret"), usual],
        ),
        case([n, n, n], of(Some("redis://ann@h"), n, n), [Some("redis://ann@h"), n, n, usual]),
        case([n, n, n], of(Some("redis://ann:@h"), n, n), [Some("redis://ann:@h"), n, n, usual]),
    ]
    .into_iter()
    .enumerate()
    {
        let written = |text: Option<&str>| {
            text.map(|text| {
                let mut file = NamedTempFile::new().unwrap();
                file.write_all(text.as_bytes()).unwrap();
                file
            })
        };
        let [url, file, prefix] = case.flags;
        let (of_flag, of_variable) = (written(file), written(case.variables[1]));
        let mut given = options(url, prefix);
        given.config = of_flag.as_ref().map(|file| file.path().to_owned());
        let path = of_variable.as_ref().map(|file| file.path().to_str().unwrap());
        let [url, _, prefix, user, password] = case.variables;
        let names = ["URL", "CONFIG", "PREFIX", "USERNAME", "PASSWORD"];
        let names = names.map(|name| format!("CLOAKROOM_REDIS_{name}"));
        let values = [url, path, prefix, user, password];
        let variables: Vec<_> = names
            .iter()
            .zip(values)
            .filter_map(|(name, value)| Some((name.as_str(), value?)))
            .collect();
        let config = merged(&given, &variables).unwrap();
        let [url, user, password, prefix] = case.counts;
        assert_eq!(
            (Some(config.url.as_str()), Some(config.prefix.as_str())),
            (url, prefix),
            "{at}"
        );
        assert_eq!(config.username.as_deref(), user, "{at}");
        assert_eq!(config.password, password.map(Password::from), "{at}");
    }
}

#[test]
fn a_file_that_both_name_is_completed_by_the_environment() {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(NO_PASSWORD.as_bytes()).unwrap();
    let mut given = options(None, None);
    given.config = Some(file.path().to_owned());
    let path = file.path().to_str().unwrap();
    let variables = [("CLOAKROOM_REDIS_CONFIG", path), ("CLOAKROOM_REDIS_PASSWORD", "secret")];
    assert_eq!(merged(&given, &variables).unwrap().password, Some(Password::from("secret")));
}

#[test]
fn flags_are_repeated_as_a_shell_reads_them_and_without_a_password() {
    let mut given = options(Some("redis://h:1/2?plaintext=allow"), Some("it's:"));
    given.config = Some("a b.toml".into());
    let repeated = given.repeated();
    let expected =
        r" --url 'redis://h:1/2?plaintext=allow' --config 'a b.toml' --prefix 'it'\''s:'";
    assert_eq!(repeated, expected);
    assert_eq!(options(Some("redis://:secret@h"), None).repeated(), " --url '…'");
    assert_eq!(options(None, None).repeated(), "");
}
