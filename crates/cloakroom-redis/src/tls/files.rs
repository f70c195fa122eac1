//! The PEM files that TLS needs, read into what the client works with. Each error names the setting
//! and the file, and no line of it.

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use cloakroom::{ConfigError, ConfigErrorKind};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::config::TlsConfig;

/// Reads the files that are named; without an authority of its own it trusts the system's.
pub(super) fn read_all(files: &TlsConfig) -> Result<ClientConfig, ConfigError> {
    let roots = match &files.ca_file {
        Some(path) => own_roots(path)?,
        None => system_roots()?,
    };
    let provider = Arc::new(ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| invalid(format!("TLS cannot be set up: {error}")))?
        .with_root_certificates(roots);
    let client = match (&files.cert_file, &files.key_file) {
        (None, None) => client.with_no_client_auth(),
        (Some(cert), Some(key)) => {
            let chain = certificates(cert, "cert_file")?;
            client.with_client_auth_cert(chain, private_key(key)?).map_err(|error| {
                invalid(format!(
                    "cert_file {} and key_file {} do not go together ({error}); name the \
                     certificate and the key that belongs to it",
                    cert.display(),
                    key.display()
                ))
            })?
        }
        (Some(_), None) | (None, Some(_)) => {
            return Err(invalid(
                "cert_file and key_file come together: the client's certificate and its \
                 private key",
            ));
        }
    };
    Ok(client)
}

fn own_roots(path: &Path) -> Result<RootCertStore, ConfigError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path, "ca_file")? {
        roots.add(certificate).map_err(|error| unreadable("ca_file", path, error))?;
    }
    Ok(roots)
}

/// One certificate that cannot be read is left out: the system has many, and others do.
fn system_roots() -> Result<RootCertStore, ConfigError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(invalid(
            "this system trusts no certificate authority; install its package of certificates \
             (ca-certificates), or name your own with ca_file or ?ca=/path",
        ));
    }
    Ok(roots)
}

fn certificates(path: &Path, field: &str) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let text = read(path, field)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|error| unreadable(field, path, error))?;
    if found.is_empty() {
        return Err(unreadable(field, path, "there is no certificate in it"));
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, ConfigError> {
    let text = read(path, "key_file")?;
    // The reader's error may repeat a line of the file.
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
        let why = "there is no private key in it, or one with a passphrase";
        unreadable("key_file", path, why)
    })
}

fn read(path: &Path, field: &str) -> Result<Vec<u8>, ConfigError> {
    std::fs::read(path)
        .map_err(|error| invalid(format!("{field} {} cannot be read: {error}", path.display())))
}

fn unreadable(field: &str, path: &Path, why: impl Display) -> ConfigError {
    invalid(format!("{field} {} is not what it should be, a PEM file: {why}", path.display()))
}

fn invalid(message: impl Into<String>) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Invalid, "tls", message)
}
