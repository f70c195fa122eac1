//! Reads the application's configuration of the storage. No error repeats a line of the file, for the
//! password may stand on it.

use std::path::Path;

use cloakroom_redis::{Password, RedisStorageConfig, StorageConfig};
use serde::Deserialize;
use toml::Table;

use super::url;
use crate::failure::Failure;
use crate::output::remark;

/// What a file says, and which of it it says itself.
#[derive(Default)]
pub(super) struct File {
    pub(super) config: RedisStorageConfig,
    pub(super) names_server: bool,
    pub(super) names_prefix: bool,
}

impl File {
    /// Reads a table of [`RedisStorageConfig`], or of [`StorageConfig`], which names its backend.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::misused(format!("the file {shown} cannot be read: {error}"))
        })?;
        let file = Self::parse(&text)
            .map_err(|problem| Failure::misused(format!("the file {shown}: {problem}")))?;
        if file.holds_password() && can_all_read(path) {
            remark(&format!(
                "every user of this machine can read the password in {shown}; take the right to \
                 read it from others"
            ));
        }
        Ok(file)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let table: Table = toml::from_str(text).map_err(|error| told(&error, text))?;
        let names = |name| table.contains_key(name);
        let names_server = ["url", "sentinel", "cluster"].into_iter().any(names);
        let names_prefix = names("prefix");
        let config = if names("backend") {
            match StorageConfig::deserialize(table).map_err(|error| told(&error, text))? {
                StorageConfig::Redis(config) => config,
                _ => {
                    return Err("its backend keeps sessions in the memory of the application's \
                                process, which no command can look at; the page of the \
                                application can"
                        .to_owned());
                }
            }
        } else {
            toml::from_str(text).map_err(|error| told(&error, text))?
        };
        Ok(Self { config, names_server, names_prefix })
    }

    fn holds_password(&self) -> bool {
        let is_text = |it: Option<&Password>| matches!(it, Some(Password::Text(_)));
        let of_sentinels = self.config.sentinel.as_ref().map(|it| it.sentinel_password.as_ref());
        is_text(self.config.password.as_ref())
            || is_text(of_sentinels.flatten())
            || url::holds_password(&self.config.url)
    }
}

/// Whether every user of this machine may read it.
#[cfg(unix)]
pub(crate) fn can_all_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    std::fs::metadata(path).is_ok_and(|it| it.permissions().mode() & 0o004 != 0)
}

/// Nobody can say.
#[cfg(not(unix))]
pub(crate) fn can_all_read(_path: &Path) -> bool {
    false
}

/// What is wrong, without what stands there: the line's number and name, and what was expected.
fn told(error: &toml::de::Error, text: &str) -> String {
    let message = error.message();
    let safe = if message.starts_with("unknown field") || message.starts_with("missing field") {
        message.to_owned()
    } else if let Some((_, expected)) = message.rsplit_once(", expected ") {
        format!("something else stands where it expects {expected}")
    } else if message.starts_with("a password, ") {
        message.to_owned()
    } else {
        "it is not TOML as the storage's configuration is written".to_owned()
    };
    let safe = safe.replace(['\r', '\n'], " ");
    match error.span().and_then(|span| text.get(..span.start)) {
        Some(before) => format!("line {}: {safe}", before.matches('\n').count() + 1),
        None => safe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        File::parse(text).err().unwrap()
    }

    #[test]
    fn both_forms_of_the_configuration_are_read() {
        for text in [
            "url = \"redis://cache:1\"\nprefix = \"shop:\"\nplaintext = \"allow\"",
            "backend = \"redis\"\nurl = \"redis://cache:1\"\nprefix = \"shop:\"\nplaintext = \"allow\"",
        ] {
            let File { config, names_server, names_prefix } = File::parse(text).unwrap();
            assert!(names_server && names_prefix);
            assert_eq!((config.url.as_str(), config.prefix.as_str()), ("redis://cache:1", "shop:"));
        }
        assert!(refused("backend = \"memory\"").contains("memory"));
    }

    #[cfg(unix)]
    #[test]
    fn a_password_that_every_user_can_read_is_noticed() {
        use std::os::unix::fs::PermissionsExt;

        let file = tempfile::NamedTempFile::new().unwrap();
        for (mode, is_read) in [(0o600, false), (0o640, false), (0o644, true)] {
            file.as_file().set_permissions(PermissionsExt::from_mode(mode)).unwrap();
            assert_eq!(can_all_read(file.path()), is_read, "{mode:o}");
        }
        for (text, is_there) in [
            ("password = \"secret\"", true),
            ("url = \"redis://:secret@localhost\"", true),
            ("[sentinel]\nsentinel_password = \"secret\"", true),
            ("password = { file = \"/run/secrets/redis\" }", false),
            ("url = \"redis://localhost\"", false),
        ] {
            assert_eq!(File::parse(text).unwrap().holds_password(), is_there, "{text}");
        }
    }

    #[test]
    fn no_error_repeats_what_stands_in_the_file() {
        for text in [
            "pool_size = \"correct-horse\"",
            "password = correct-horse",
            "password = \"correct-horse",
            "password = { path = \"correct-horse\" }",
            "url = 3\npassword = \"correct-horse\"",
            "backend = \"redis\"\npool_size = \"correct-horse\"",
            "backend = \"correct-horse\"",
        ] {
            let problem = refused(text);
            assert!(!problem.contains("correct-horse"), "{problem}");
            assert!(!problem.contains('\n') && !problem.is_empty(), "{problem}");
        }
        assert!(refused("\npool_size = \"x\"").contains("line 2"));
        assert!(refused("pol_size = 3").contains("pol_size"));
    }
}
