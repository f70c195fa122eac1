//! [`TlsProblem`]: why a handshake failed, and what a person can do about it.

use std::error::Error;
use std::fmt;

use redis::RedisError;

/// Why TLS did not come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "nobody makes one without TLS"))]
pub(crate) enum TlsProblem {
    /// The certificate was issued by an authority that is not trusted here.
    UnknownAuthority,
    /// The certificate is made out to another name.
    WrongName,
    /// The certificate's time is over.
    Expired,
    /// The certificate's time has not come.
    NotYetValid,
    /// The certificate is not accepted for another reason.
    BadCertificate,
    /// What answers does not speak TLS.
    NotTls,
    /// The server wants to see a certificate, and none was named.
    CertificateWanted,
    /// The server does not accept the client's certificate.
    CertificateRefused,
    /// The two sides have no version or cipher in common.
    NothingInCommon,
    /// Anything else.
    Failed,
}

impl TlsProblem {
    /// The problem behind a client's error; `None` where TLS is not the matter.
    #[cfg(feature = "tls")]
    pub(crate) fn of(error: &RedisError) -> Option<Self> {
        type Shared = std::sync::Arc<dyn Error + Send + Sync>;

        let source = error.source()?.downcast_ref::<Shared>()?;
        let inner = source.downcast_ref::<std::io::Error>()?.get_ref()?;
        inner.downcast_ref::<rustls::Error>().map(Self::new)
    }

    /// Without TLS it is never the matter.
    #[cfg(not(feature = "tls"))]
    pub(crate) fn of(_: &RedisError) -> Option<Self> {
        None
    }

    #[cfg(feature = "tls")]
    fn new(error: &rustls::Error) -> Self {
        use rustls::AlertDescription as Alert;
        use rustls::{CertificateError, Error};

        match error {
            Error::InvalidCertificate(error) => match error {
                // A signature of another authority that has the same name.
                CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                    Self::UnknownAuthority
                }
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => Self::WrongName,
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    Self::Expired
                }
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    Self::NotYetValid
                }
                _ => Self::BadCertificate,
            },
            Error::InvalidMessage(_) => Self::NotTls,
            Error::AlertReceived(Alert::CertificateRequired) => Self::CertificateWanted,
            Error::AlertReceived(
                Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::UnknownCA
                | Alert::AccessDenied
                | Alert::DecryptError,
            ) => Self::CertificateRefused,
            Error::AlertReceived(
                Alert::HandshakeFailure | Alert::ProtocolVersion | Alert::InsufficientSecurity,
            )
            | Error::PeerIncompatible(_) => Self::NothingInCommon,
            _ => Self::Failed,
        }
    }

    /// What a person can do about it.
    pub(crate) fn remedy(self) -> &'static str {
        match self {
            Self::UnknownAuthority => "name the authority's certificate with ca_file or ?ca=/path",
            Self::WrongName => "connect by a name that stands in the server's certificate",
            Self::Expired => "renew the server's certificate",
            Self::NotYetValid => "check the clocks, and when the server's certificate begins",
            Self::BadCertificate => "let the server's certificate be issued anew",
            Self::NotTls => "check the port; for a server without TLS write redis://",
            Self::CertificateWanted => {
                "name the client's certificate and key with cert_file and key_file, or \
                 ?cert=/path&key=/path"
            }
            Self::CertificateRefused => {
                "check that the client's certificate is valid and that the server trusts its issuer"
            }
            Self::NothingInCommon => "let the server offer TLS 1.2 or 1.3",
            Self::Failed => "check the port and the server's log",
        }
    }
}

impl fmt::Display for TlsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownAuthority => {
                "the server's certificate was issued by an authority that is not trusted here"
            }
            Self::WrongName => "the server's certificate is made out to another name",
            Self::Expired => "the server's certificate has expired",
            Self::NotYetValid => "the server's certificate is not valid yet",
            Self::BadCertificate => "the server's certificate is not acceptable",
            Self::NotTls => "what answers there does not speak TLS",
            Self::CertificateWanted => "the server wants to see a client's certificate",
            Self::CertificateRefused => "the server does not accept the client's certificate",
            Self::NothingInCommon => "client and server have no TLS version or cipher in common",
            Self::Failed => "TLS failed",
        })
    }
}

impl Error for TlsProblem {}
