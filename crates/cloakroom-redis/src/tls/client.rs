//! [`TlsClient`]: the client's side of TLS, with the certificates it trusts and its own.
//!
//! Certificates live for weeks and processes longer. So files that have changed are read again at the
//! next handshake; while they cannot be read, or do not go together yet, the former ones stay.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use cloakroom::ConfigError;
use rustls::ClientConfig;
use rustls::pki_types::{InvalidDnsNameError, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::files;
use crate::config::TlsConfig;

/// Shakes hands with servers. Clones share the certificates and the tickets that shorten later
/// handshakes.
#[derive(Clone)]
pub(crate) struct TlsClient(Arc<Certificates>);

struct Certificates {
    files: TlsConfig,
    /// Held for as long as it takes to look at the files, by one thread made for waiting.
    current: Mutex<Current>,
}

struct Current {
    client: Arc<ClientConfig>,
    state: State,
}

/// By which it is seen that a file has changed: each one's time and length.
#[derive(PartialEq, Eq)]
struct State([Option<(SystemTime, u64)>; 3]);

impl TlsClient {
    /// Reads the files that are named.
    pub(super) fn new(files: TlsConfig) -> Result<Self, ConfigError> {
        let state = State::of(&files);
        let client = Arc::new(files::read_all(&files)?);
        let current = Mutex::new(Current { client, state });
        Ok(Self(Arc::new(Certificates { files, current })))
    }

    pub(super) fn without_certificate(&self) -> Result<Self, ConfigError> {
        let files = &self.0.files;
        Self::new(TlsConfig { ca_file: files.ca_file.clone(), ..TlsConfig::default() })
    }

    pub(super) async fn shake_hands(
        &self,
        stream: TcpStream,
        host: &str,
    ) -> io::Result<TlsStream<TcpStream>> {
        let name = server_name(host)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let certificates = self.0.clone();
        let client = tokio::task::spawn_blocking(move || certificates.current()).await?;
        TlsConnector::from(client).connect(name, stream).await
    }
}

impl Certificates {
    fn current(&self) -> Arc<ClientConfig> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let state = State::of(&self.files);
        if state != current.state
            && let Ok(client) = files::read_all(&self.files)
        {
            *current = Current { client: Arc::new(client), state };
        }
        current.client.clone()
    }
}

impl State {
    fn of(files: &TlsConfig) -> Self {
        let state = |file: &Option<std::path::PathBuf>| state_of(file.as_deref()?);
        Self([&files.ca_file, &files.cert_file, &files.key_file].map(state))
    }
}

fn state_of(file: &Path) -> Option<(SystemTime, u64)> {
    let about = std::fs::metadata(file).ok()?;
    Some((about.modified().ok()?, about.len()))
}

/// The name that the server's certificate must be made out to.
pub(super) fn server_name(host: &str) -> Result<ServerName<'static>, InvalidDnsNameError> {
    Ok(ServerName::try_from(host)?.to_owned())
}
