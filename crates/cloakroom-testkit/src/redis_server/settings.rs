//! [`Setting`]: one line of a server's settings file. The servers are given a file rather than
//! arguments, because Sentinel, Cluster and `CONFIG REWRITE` keep in it what they have decided, and
//! a restarted server has to find that again.

use std::fs;
use std::io;
use std::path::Path;

/// A setting's name and the words of its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting(Vec<String>);

impl Setting {
    /// A setting as it is written in `redis.conf`: the value's words are parted by single spaces.
    pub(crate) fn new(name: &str, value: &str) -> Self {
        Self::words([name].into_iter().chain(value.split(' ')))
    }

    /// A setting whose words are known, and may hold spaces.
    pub(crate) fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        Self(words.into_iter().map(str::to_owned).collect())
    }

    /// Whether this is the setting of that name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.0.first().is_some_and(|own| own.eq_ignore_ascii_case(name))
    }

    fn line(&self) -> String {
        let quoted = |word: &String| {
            let escaped = word.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            format!("\"{escaped}\"")
        };
        self.0.iter().map(quoted).collect::<Vec<_>>().join(" ")
    }
}

/// Writes the settings file; of two settings of one name the later one holds.
pub(super) fn write(settings: &[Setting], file: &Path) -> io::Result<()> {
    let lines: String = settings.iter().map(|setting| setting.line() + "\n").collect();
    fs::write(file, lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_whatever_they_hold() {
        let setting = Setting::words(["requirepass", r#"a "b" \c"#]);
        assert_eq!(setting.line(), r#""requirepass" "a \"b\" \\c""#);
        assert_eq!(Setting::new("save", "").line(), r#""save" """#);
    }
}
