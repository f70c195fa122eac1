//! Reads URLs, with one host or several:
//!
//! ```text
//! redis://[user:password@]host[:6379][/database]       rediss:// with TLS; also valkey://, valkeys://
//! redis+sentinel://[user:password@]h1[:26379],h2/MASTER[/database]
//! redis+cluster://[user:password@]h1[:6379],h2
//! unix:///path/to.sock[?db=database&user=..&pass=..]
//! ```
//!
//! No message repeats any part of the URL: one character out of place, and the password is taken
//! for something else.

mod form;
mod query;

use std::path::PathBuf;

use cloakroom::ConfigError;

use super::host::HostPort;
use super::secret::{Credentials, Secret};
use super::sketch::{Place, Sketch, Target};
use super::{SENTINEL_PORT, SERVER_PORT};
use crate::tls::Encryption;
use form::{Form, database_of, decoded, scheme_of};
use query::Query;

impl Sketch {
    /// Reads a URL of any form.
    pub(crate) fn from_url(text: &str) -> Result<Self, ConfigError> {
        read(text)
    }
}

fn read(text: &str) -> Result<Sketch, ConfigError> {
    let text = text.trim();
    let (scheme, rest) =
        text.split_once(':').ok_or_else(|| Form::Server.wrong("not a Redis URL"))?;
    let (form, encrypted) =
        scheme_of(scheme).ok_or_else(|| Form::Server.wrong("not a Redis URL"))?;
    let rest = match rest.strip_prefix("//") {
        Some(rest) => rest,
        None if form == Form::Socket => rest,
        None => return Err(form.wrong("after the scheme comes ://")),
    };
    if rest.contains('#') {
        return Err(form.wrong(
            "there is no such thing as #insecure or another fragment here; certificates are always \
             checked, a private authority is named with ?ca=/path, and a # in a password is written \
             as %23",
        ));
    }
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let query = Query::read(form, query)?;
    if !encrypted && !query.tls.is_empty() {
        return Err(form.wrong("ca, cert and key are for encrypted connections; write rediss://"));
    }
    if form == Form::Socket {
        return socket(rest, query);
    }
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (who, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let credentials = credentials(form, who)?;
    let path = path.strip_suffix('/').unwrap_or(path);
    let (place, database) = match form {
        Form::Sentinel => {
            let (master, database) = path.split_once('/').unwrap_or((path, ""));
            let master = decoded(form, master)?.into_owned();
            if master.is_empty() {
                return Err(form.wrong("the primary's name is missing"));
            }
            let sentinels = host_list(form, hosts, SENTINEL_PORT)?;
            (Place::Sentinel { sentinels, master, credentials: query.sentinel }, database)
        }
        Form::Cluster => {
            if !path.is_empty() && path != "0" {
                return Err(form.wrong("a Cluster has no databases but number 0"));
            }
            (Place::Cluster(host_list(form, hosts, SERVER_PORT)?), "")
        }
        Form::Server | Form::Socket => {
            if hosts.contains(',') {
                return Err(form.wrong(
                    "several hosts need redis+sentinel:// or redis+cluster://, so that it is known \
                     what they are to each other",
                ));
            }
            let host = HostPort::read(hosts, SERVER_PORT).map_err(|it| form.host(it))?;
            (Place::Server(Target::Tcp(host)), path)
        }
    };
    let database = match database {
        "" => 0,
        text => database_of(form, text)?,
    };
    let encryption = if encrypted { Encryption::Tls(query.tls) } else { Encryption::Off };
    let (plaintext, protocol) = (query.plaintext, query.protocol);
    Ok(Sketch { place, credentials, database, encryption, plaintext, protocol })
}

fn socket(path: &str, query: Query) -> Result<Sketch, ConfigError> {
    let form = Form::Socket;
    if !path.starts_with('/') {
        return Err(
            form.wrong("the socket's path begins with a /, so that there are three of them")
        );
    }
    let path = PathBuf::from(decoded(form, path)?.into_owned());
    Ok(Sketch {
        place: Place::Server(Target::Socket(path.into())),
        credentials: query.socket,
        database: query.database.unwrap_or(0),
        encryption: Encryption::Off,
        plaintext: query.plaintext,
        protocol: query.protocol,
    })
}

fn host_list(form: Form, hosts: &str, port: u16) -> Result<Vec<HostPort>, ConfigError> {
    let hosts = hosts.split(',').map(|host| HostPort::read(host, port));
    hosts.map(|host| host.map_err(|problem| form.host(problem))).collect()
}

fn credentials(form: Form, who: &str) -> Result<Credentials, ConfigError> {
    let (user, password) = match who.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (who, None),
    };
    let user = decoded(form, user)?;
    let user = (!user.is_empty()).then(|| user.as_ref().into());
    let password = password.filter(|password| user.is_some() || !password.is_empty());
    let password = password.map(|password| decoded(form, password)).transpose()?;
    let password = password.map(|password| Secret::new(&password));
    Ok(Credentials { user, password })
}
