//! Reads the application's configuration of the storage. No error repeats a line of the file, for the
//! password may stand on it.

use std::path::Path;

use cloakroom_redis::{RedisStorageConfig, StorageConfig};
use serde::Deserialize;
use toml::Table;

use crate::failure::Failure;

/// Reads a table of [`RedisStorageConfig`], or of [`StorageConfig`], which names its backend.
pub(super) fn read(path: &Path) -> Result<RedisStorageConfig, Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::new(format!("the file {shown} cannot be read: {error}")))?;
    parse(&text).map_err(|problem| Failure::new(format!("the file {shown}: {problem}")))
}

fn parse(text: &str) -> Result<RedisStorageConfig, String> {
    let table: Table = toml::from_str(text).map_err(|error| told(&error, text))?;
    if !table.contains_key("backend") {
        return toml::from_str(text).map_err(|error| told(&error, text));
    }
    match StorageConfig::deserialize(table).map_err(|error| told(&error, text))? {
        StorageConfig::Redis(config) => Ok(config),
        _ => {
            Err("its backend keeps sessions in the memory of the application's process, which no \
                  command can look at; the page of the application can"
                .to_owned())
        }
    }
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

    #[test]
    fn both_forms_of_the_configuration_are_read() {
        for text in [
            "url = \"redis://cache:1\"\nprefix = \"shop:\"\nplaintext = \"allow\"",
            "backend = \"redis\"\nurl = \"redis://cache:1\"\nprefix = \"shop:\"\nplaintext = \"allow\"",
        ] {
            let config = parse(text).unwrap();
            assert_eq!((config.url.as_str(), config.prefix.as_str()), ("redis://cache:1", "shop:"));
        }
        assert!(parse("backend = \"memory\"").unwrap_err().contains("memory"));
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
            let problem = parse(text).unwrap_err();
            assert!(!problem.contains("correct-horse"), "{problem}");
            assert!(!problem.contains('\n') && !problem.is_empty(), "{problem}");
        }
        assert!(parse("\npool_size = \"x\"").unwrap_err().contains("line 2"));
        assert!(parse("pol_size = 3").unwrap_err().contains("pol_size"));
    }
}
