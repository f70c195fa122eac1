//! From a [`RedisConfig`] to the [`Topology`] that it means. A setting may stand in one place only:
//! where two contradict each other, neither wins.

use cloakroom::{ConfigError, ConfigErrorKind, Problem};

use super::{DEFAULT_URL, Password, Plaintext, RedisConfig};
use crate::address::{Credentials, HostPort, Place, SENTINEL_PORT, SERVER_PORT, Sketch, Topology};
use crate::tls::Encryption;

impl RedisConfig {
    /// Reads everything that the configuration names, passwords and certificates too.
    pub(crate) fn topology(&self) -> Result<Topology, ConfigError> {
        self.sketch()?.topology()
    }

    /// Where that is, for people: hosts and ports and a database other than number 0, never
    /// credentials.
    ///
    /// # Errors
    /// As building a storage with this configuration would report them, without connecting.
    pub fn place(&self) -> Result<String, ConfigError> {
        let sketch = self.sketch()?;
        let database = sketch.database;
        let place = sketch.topology()?.to_string();
        Ok(if database == 0 { place } else { format!("{place}, database {database}") })
    }

    /// The number of the database, wherever it is written.
    pub(crate) fn database_number(&self) -> Result<u32, ConfigError> {
        self.sketch().map(|sketch| sketch.database)
    }

    fn sketch(&self) -> Result<Sketch, ConfigError> {
        let mut problems = Vec::new();
        let credentials = credentials(
            ("username", self.username.as_deref()),
            ("password", self.password.as_ref()),
        );
        let credentials = kept(credentials, &mut problems);
        let place = match (&self.sentinel, &self.cluster) {
            (None, None) => None,
            (Some(_), Some(_)) => {
                let message = "sentinel and cluster exclude each other; keep one of them";
                problems.push(Problem::new("sentinel", message));
                None
            }
            (Some(group), None) => {
                let sentinels = hosts("sentinel", &group.sentinels, SENTINEL_PORT, &mut problems);
                let credentials = credentials_of_sentinels(group, &mut problems);
                Some(Place::Sentinel { sentinels, master: group.master.clone(), credentials })
            }
            (None, Some(cluster)) => {
                let nodes = hosts("cluster", &cluster.nodes, SERVER_PORT, &mut problems);
                Some(Place::Cluster(nodes))
            }
        };
        if place.is_some() && self.url != DEFAULT_URL {
            let message = "url and sentinel or cluster exclude each other; keep one of them";
            problems.push(Problem::new("url", message));
        }
        ConfigError::check(problems)?;
        match place {
            None => self.beside_url(Sketch::from_url(&self.url)?, credentials),
            Some(place) => Ok(Sketch {
                place,
                credentials,
                database: self.database.unwrap_or(0),
                encryption: self.tls.clone().map_or(Encryption::Off, Encryption::Tls),
                plaintext: self.plaintext,
                protocol: None,
            }),
        }
    }

    /// What stands beside a URL completes it.
    fn beside_url(
        &self,
        mut sketch: Sketch,
        credentials: Credentials,
    ) -> Result<Sketch, ConfigError> {
        let invalid =
            |field, message: &str| Err(ConfigError::new(ConfigErrorKind::Invalid, field, message));
        if sketch.credentials.password.is_none() && credentials.user.is_none() {
            sketch.credentials.password = credentials.password;
        } else if sketch.credentials.is_empty() {
            sketch.credentials = credentials;
        } else if !credentials.is_empty() {
            return invalid("password", "user and password stand in the URL too; keep one");
        }
        if let Some(database) = self.database {
            if sketch.database != 0 && sketch.database != database {
                return invalid("database", "the URL names another database; keep one");
            }
            sketch.database = database;
        }
        if let Some(files) = &self.tls {
            sketch.encryption = match sketch.encryption {
                Encryption::Off => {
                    return invalid("tls", "the URL is one for plain text; write rediss://");
                }
                Encryption::Tls(named) if files.is_empty() => Encryption::Tls(named),
                Encryption::Tls(named) if named.is_empty() => Encryption::Tls(files.clone()),
                Encryption::Tls(_) => {
                    return invalid("tls", "the URL names certificates too; keep one");
                }
            };
        }
        if self.plaintext == Plaintext::Allow {
            sketch.plaintext = Plaintext::Allow;
        }
        Ok(sketch)
    }
}

fn credentials_of_sentinels(
    group: &super::SentinelConfig,
    problems: &mut Vec<Problem>,
) -> Credentials {
    let found = credentials(
        ("sentinel_username", group.sentinel_username.as_deref()),
        ("sentinel_password", group.sentinel_password.as_ref()),
    );
    kept(found, problems)
}

fn credentials(
    (user_field, user): (&'static str, Option<&str>),
    (password_field, password): (&'static str, Option<&Password>),
) -> Result<Credentials, Problem> {
    let user = user.filter(|user| !user.is_empty()).map(Into::into);
    if user.is_some() && password.is_none() {
        let message = format!("a user needs a password; set {password_field} as well");
        return Err(Problem::new(user_field, message));
    }
    let password = password.map(|password| password.fetch(password_field)).transpose()?;
    Ok(Credentials { user, password })
}

fn hosts(
    field: &'static str,
    written: &[String],
    port: u16,
    problems: &mut Vec<Problem>,
) -> Vec<HostPort> {
    let mut hosts = Vec::with_capacity(written.len());
    for (at, text) in written.iter().enumerate() {
        match HostPort::read(text.trim(), port) {
            Ok(host) => hosts.push(host),
            Err(problem) => {
                let remedy = problem.remedy();
                let message = format!("entry {}: {remedy}; write host:{port}", at + 1);
                problems.push(Problem::new(field, message));
            }
        }
    }
    hosts
}

fn kept(found: Result<Credentials, Problem>, problems: &mut Vec<Problem>) -> Credentials {
    found.unwrap_or_else(|problem| {
        problems.push(problem);
        Credentials::default()
    })
}
