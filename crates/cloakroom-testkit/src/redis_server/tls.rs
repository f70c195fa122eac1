//! [`Certificates`]: a certificate authority of a test's own, with a certificate for a server and
//! one for its clients. Nothing on the machine trusts it, so a client that connects without being
//! told its authority does not check certificates.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use tempfile::TempDir;

/// Whether a server asks its clients for certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificate {
    /// Nobody is asked.
    Ignored,
    /// Who has no certificate of the same authority is turned away.
    Required,
}

/// An authority's certificate, and the certificates and keys that it has signed, as PEM files in a
/// folder that goes with the last clone.
///
/// The server's certificate is for `localhost` and `127.0.0.1`.
///
/// ```
/// use cloakroom_testkit::Certificates;
///
/// # fn main() -> std::io::Result<()> {
/// let certificates = Certificates::create()?;
/// let pem = std::fs::read_to_string(certificates.authority())?;
/// assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Certificates {
    folder: Arc<TempDir>,
}

impl Certificates {
    /// Creates an authority that nobody has seen before, and its certificates.
    ///
    /// A second one serves as the authority that did *not* sign a server's certificate.
    ///
    /// # Errors
    /// Where the temporary folder cannot be written.
    pub fn create() -> io::Result<Self> {
        let certificates = Self { folder: Arc::new(TempDir::new()?) };
        certificates.sign_all().map_err(|error| match error {
            Failure::Disk(error) => error,
            Failure::Signing(error) => io::Error::other(error),
        })?;
        Ok(certificates)
    }

    /// The authority's certificate, which a client has to be told.
    pub fn authority(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// The server's certificate.
    pub fn server(&self) -> PathBuf {
        self.file("server.pem")
    }

    /// The key of the server's certificate.
    pub fn server_key(&self) -> PathBuf {
        self.file("server.key")
    }

    /// A client's certificate.
    pub fn client(&self) -> PathBuf {
        self.file("client.pem")
    }

    /// The key of the client's certificate.
    pub fn client_key(&self) -> PathBuf {
        self.file("client.key")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn sign_all(&self) -> Result<(), Failure> {
        let mut params = CertificateParams::default();
        params.distinguished_name = named("cloakroom-testkit authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        std::fs::write(self.authority(), params.self_signed(&key)?.pem())?;
        let issuer = Issuer::new(params, key);
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut server = CertificateParams::new(names)?;
        server.distinguished_name = named("cloakroom-testkit server");
        // Nodes are each other's clients when they replicate.
        server.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        sign(server, &issuer, &self.server(), &self.server_key())?;
        let mut client = CertificateParams::default();
        client.distinguished_name = named("cloakroom-testkit client");
        client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        sign(client, &issuer, &self.client(), &self.client_key())
    }
}

fn sign(
    mut params: CertificateParams,
    issuer: &Issuer<'_, KeyPair>,
    certificate_file: &Path,
    key_file: &Path,
) -> Result<(), Failure> {
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    std::fs::write(certificate_file, params.signed_by(&key, issuer)?.pem())?;
    std::fs::write(key_file, key.serialize_pem())?;
    Ok(())
}

fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

enum Failure {
    Disk(io::Error),
    Signing(rcgen::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl From<rcgen::Error> for Failure {
    fn from(error: rcgen::Error) -> Self {
        Self::Signing(error)
    }
}
