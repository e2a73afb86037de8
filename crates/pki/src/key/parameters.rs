// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files of curve parameters (`openssl ecparam`), which name a curve.

use der::{Decode, asn1::ObjectIdentifier};
use thiserror::Error;

use super::{Curve, foreign, public};
use crate::pem::{self, PemError};

/// Why a file does not name a curve of ours.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParametersError {
    /// Neither PEM with parameters in it nor DER.
    #[error("there are no curve parameters in it")]
    None,
    /// The PEM around them is broken.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// The numbers of a curve instead of its name (forbidden by RFC 5480 §2.1.1).
    #[error("it does not name a curve: explicit parameters are not supported")]
    Explicit,
    /// A curve that certkeep does not have.
    #[error("the curve {0} is not supported")]
    Unsupported(String),
}

impl Curve {
    /// The curve that a file of parameters names (RFC 5480 §2.1.1: namedCurve).
    ///
    /// # Errors
    ///
    /// [`ParametersError`].
    pub fn of_parameters(file: &[u8]) -> Result<Self, ParametersError> {
        let der = pem::first(file, &["EC PARAMETERS"])?.ok_or(ParametersError::None)?;
        let named = ObjectIdentifier::from_der(&der).map_err(|_| match der.first() {
            Some(0x30) => ParametersError::Explicit,
            _ => ParametersError::None,
        })?;
        public::curve_of(named).ok_or_else(|| ParametersError::Unsupported(foreign::curve_name(named)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_a_curve() {
        let named = |der: &[u8]| Curve::of_parameters(pem::encode("EC PARAMETERS", der).as_bytes());
        assert_eq!(named(&[6, 5, 0x2b, 0x81, 4, 0, 0x22]), Ok(Curve::P384));
        let other = named(&[6, 5, 0x2b, 0x81, 4, 0, 0x21]);
        assert_eq!(other, Err(ParametersError::Unsupported("secp224r1".to_owned())));
        assert_eq!(named(&[0x30, 3, 2, 1, 1]), Err(ParametersError::Explicit));
        for nothing in [&b""[..], b"text", b"\x05\x00"] {
            assert_eq!(Curve::of_parameters(nothing), Err(ParametersError::None));
        }
    }
}
