//! A throw-away certificate authority and the server certificate it signs.
//!
//! The ring provider is named wherever rustls wants one, so these certificates work whether or
//! not the process has installed a default provider.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate authority of its own, with one server certificate.
pub struct TestCa {
    ca_pem: String,
    server_pem: String,
    config: Arc<ServerConfig>,
}

impl TestCa {
    /// Makes an authority and a certificate for `localhost` and `127.0.0.1`.
    pub fn new() -> Self {
        Self::for_names(&["localhost", "127.0.0.1"])
    }

    /// Makes an authority whose server certificate names `other.test`.
    ///
    /// A client that trusts the authority must still refuse the server, because the name is not
    /// the one it connected to.
    pub fn wrong_name() -> Self {
        Self::for_names(&["other.test"])
    }

    /// Makes an authority and a certificate for these names and addresses.
    pub fn for_names(names: &[&str]) -> Self {
        let authority = authority();
        let (certificate, key) = server_certificate(names, &authority);
        let server_pem = key.serialize_pem() + &certificate.pem();
        let config = Arc::new(server_config(certificate.der().clone(), key));
        Self { ca_pem: authority.pem(), server_pem, config }
    }

    /// The authority's certificate, in the form a client's configuration takes.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Writes the authority's certificate to `ca.pem` in `dir` and returns its path.
    pub fn write_ca(&self, dir: impl AsRef<Path>) -> PathBuf {
        let path = dir.as_ref().join("ca.pem");
        std::fs::write(&path, &self.ca_pem).unwrap();
        path
    }

    /// Writes the server's key and certificate, in this order, to `server.pem` in `dir` and
    /// returns its path: for a server that is a program of its own.
    pub fn write_server(&self, dir: impl AsRef<Path>) -> PathBuf {
        let path = dir.as_ref().join("server.pem");
        std::fs::write(&path, &self.server_pem).unwrap();
        path
    }

    /// The server's side of the handshake, with the certificate this authority signed.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.clone())
    }

    /// The same, for a server that speaks HTTP/2 and nothing else.
    pub fn http2_acceptor(&self) -> TlsAcceptor {
        let mut config = ServerConfig::clone(&self.config);
        config.alpn_protocols = vec![b"h2".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "wirewatch test authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn server_certificate(
    names: &[&str],
    authority: &CertifiedIssuer<'static, KeyPair>,
) -> (Certificate, KeyPair) {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, "wirewatch test server");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    (certificate, key)
}

fn server_config(certificate: CertificateDer<'static>, key: KeyPair) -> ServerConfig {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap()
}
