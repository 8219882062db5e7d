//! The checksums that S3 keeps with an object and compares with its body.

use base64_simd::STANDARD;
use crc::{CRC_32_ISCSI, CRC_32_ISO_HDLC, CRC_64_NVME, Crc, Table};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::fault::{self, Fault};
use crate::wire::xml::Xml;

static CRC32: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);
static CRC32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);
static CRC64_NVME: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_NVME);

/// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Crc32,
    Crc32C,
    Crc64Nvme,
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

impl Algorithm {
    pub(super) const ALL: [Self; 7] =
        [Self::Crc32, Self::Crc32C, Self::Crc64Nvme, Self::Md5, Self::Sha1, Self::Sha256, Self::Sha512];

    /// Reads a name as `x-amz-checksum-algorithm` has it.
    ///
    /// # Errors
    ///
    /// `InvalidRequest`.
    pub(super) fn read(name: &str) -> Result<Self, Fault> {
        let known = Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name));
        known.ok_or_else(|| {
            fault::INVALID_REQUEST.because(format!("Checksum algorithm provided is unsupported: {name}"))
        })
    }

    /// As `x-amz-checksum-algorithm` has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32C => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }

    /// The header that carries the value.
    pub(super) fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32C => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Md5 => "x-amz-checksum-md5",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
            Self::Sha512 => "x-amz-checksum-sha512",
        }
    }

    /// The element that carries the value.
    pub(super) fn element(self) -> &'static str {
        match self {
            Self::Crc32 => "ChecksumCRC32",
            Self::Crc32C => "ChecksumCRC32C",
            Self::Crc64Nvme => "ChecksumCRC64NVME",
            Self::Md5 => "ChecksumMD5",
            Self::Sha1 => "ChecksumSHA1",
            Self::Sha256 => "ChecksumSHA256",
            Self::Sha512 => "ChecksumSHA512",
        }
    }

    /// Whether the parts' checksums are combined into one over them unless the client says otherwise.
    pub(super) fn is_composite_by_default(self) -> bool {
        self != Self::Crc64Nvme
    }

    pub(super) fn of(self, body: &[u8]) -> Checksum {
        let mut sum = Sum::new(self);
        sum.update(body);
        Checksum { algorithm: self, value: sum.finish(), composite: false }
    }
}

/// A checksum of a body that comes in pieces.
pub(crate) enum Sum {
    Crc32(crc::Digest<'static, u32, Table<16>>),
    Crc64(crc::Digest<'static, u64, Table<16>>),
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
    Sha512(Box<Sha512>),
}

impl Sum {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Crc32 => Self::Crc32(CRC32.digest()),
            Algorithm::Crc32C => Self::Crc32(CRC32C.digest()),
            Algorithm::Crc64Nvme => Self::Crc64(CRC64_NVME.digest()),
            Algorithm::Md5 => Self::Md5(Md5::new()),
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha512 => Self::Sha512(Box::default()),
        }
    }

    /// The checksum that a header or trailer of this name carries.
    #[cfg(feature = "server")]
    pub(crate) fn of_header(name: &str) -> Option<Self> {
        Algorithm::ALL.into_iter().find(|algorithm| algorithm.header() == name).map(Self::new)
    }

    pub(crate) fn update(&mut self, body: &[u8]) {
        match self {
            Self::Crc32(crc) => crc.update(body),
            Self::Crc64(crc) => crc.update(body),
            Self::Md5(hash) => hash.update(body),
            Self::Sha1(hash) => hash.update(body),
            Self::Sha256(hash) => hash.update(body),
            Self::Sha512(hash) => hash.update(body),
        }
    }

    /// In base64.
    pub(crate) fn finish(self) -> String {
        match self {
            Self::Crc32(crc) => STANDARD.encode_to_string(crc.finalize().to_be_bytes()),
            Self::Crc64(crc) => STANDARD.encode_to_string(crc.finalize().to_be_bytes()),
            Self::Md5(hash) => STANDARD.encode_to_string(hash.finalize()),
            Self::Sha1(hash) => STANDARD.encode_to_string(hash.finalize()),
            Self::Sha256(hash) => STANDARD.encode_to_string(hash.finalize()),
            Self::Sha512(hash) => STANDARD.encode_to_string(hash.finalize()),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checksum {
    pub(super) algorithm: Algorithm,
    /// In base64; a composite one has the number of parts behind a hyphen.
    pub(super) value: String,
    pub(super) composite: bool,
}

impl Checksum {
    /// One checksum over those of the parts.
    pub(super) fn composite<'a>(
        algorithm: Algorithm,
        parts: impl IntoIterator<Item = &'a Checksum>,
    ) -> Option<Self> {
        let mut bytes = Vec::new();
        let mut count = 0_usize;
        for part in parts {
            bytes.extend(STANDARD.decode_to_vec(&part.value).ok()?);
            count += 1;
        }
        let value = format!("{}-{count}", algorithm.of(&bytes).value);
        Some(Self { algorithm, value, composite: true })
    }

    /// The elements that tell it.
    pub(super) fn write(&self, xml: &mut Xml) {
        xml.leaf(self.algorithm.element(), &self.value);
        xml.leaf("ChecksumType", self.kind());
    }

    /// As `x-amz-checksum-type` has it.
    pub(super) fn kind(&self) -> &'static str {
        if self.composite { "COMPOSITE" } else { "FULL_OBJECT" }
    }
}

pub(super) fn md5(body: &[u8]) -> [u8; 16] {
    Md5::digest(body).into()
}

/// The checksum that came with a body, in a header or a trailer, once it and any `Content-MD5` are found to fit.
///
/// # Errors
///
/// `BadDigest` where one does not fit, `InvalidDigest` where `Content-MD5` is none, `InvalidRequest` for two checksums.
pub(super) fn verified<'h>(
    header: impl Fn(&str) -> Option<&'h str>,
    body: &[u8],
    md5: impl FnOnce() -> [u8; 16],
) -> Result<Option<Checksum>, Fault> {
    if let Some(given) = header("content-md5") {
        let given = STANDARD.decode_to_vec(given).ok().and_then(|digest| <[u8; 16]>::try_from(digest).ok());
        if given.ok_or_else(|| fault::INVALID_DIGEST.fault())? != md5() {
            return Err(fault::BAD_DIGEST.fault());
        }
    }
    let mut given = Algorithm::ALL.into_iter().filter_map(|one| Some((one, header(one.header())?)));
    let Some((algorithm, value)) = given.next() else {
        return Ok(None);
    };
    if given.next().is_some() {
        return Err(fault::INVALID_REQUEST
            .because("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."));
    }
    let checksum = algorithm.of(body);
    if checksum.value != value {
        let name = algorithm.name();
        return Err(fault::BAD_DIGEST
            .because(format!("The {name} you specified did not match the calculated checksum.")));
    }
    Ok(Some(checksum))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_gives_its_published_check_value() {
        // The catalogue of parametrised CRC algorithms gives these for the ASCII digits 1 to 9.
        let body = b"123456789";
        for (algorithm, hex) in [
            (Algorithm::Crc32, "cbf43926"),
            (Algorithm::Crc32C, "e3069283"),
            (Algorithm::Crc64Nvme, "ae8b14860a799888"),
            (Algorithm::Md5, "25f9e794323b453885f5181f1b624d0b"),
            (Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
        ] {
            let bytes = STANDARD.decode_to_vec(algorithm.of(body).value).expect("base64");
            assert_eq!(hex::encode(bytes), hex, "{}", algorithm.name());
            assert_eq!(Algorithm::read(algorithm.name()).ok(), Some(algorithm));
        }
    }

    fn check(headers: &[(&str, &str)], body: &[u8]) -> Result<Option<Algorithm>, String> {
        let header = |name: &str| headers.iter().find(|(header, _)| *header == name).map(|(_, value)| *value);
        let checksum = verified(header, body, || md5(body)).map_err(|fault| fault.code().to_owned())?;
        Ok(checksum.map(|checksum| checksum.algorithm))
    }

    #[test]
    fn a_body_that_does_not_fit_its_checksum_is_refused() {
        let crc = ("x-amz-checksum-crc32", &*Algorithm::Crc32.of(b"one").value);
        assert_eq!(check(&[crc], b"one"), Ok(Some(Algorithm::Crc32)));
        assert_eq!(check(&[crc], b"two"), Err("BadDigest".to_owned()));
        let digest = STANDARD.encode_to_string(md5(b"two"));
        assert_eq!(check(&[crc, ("content-md5", &digest)], b"one"), Err("BadDigest".to_owned()));
        assert_eq!(check(&[crc, ("content-md5", "not base64")], b"one"), Err("InvalidDigest".to_owned()));
        let sha = ("x-amz-checksum-sha256", &*Algorithm::Sha256.of(b"one").value);
        assert_eq!(check(&[crc, sha], b"one"), Err("InvalidRequest".to_owned()));
        assert_eq!(check(&[], b"one"), Ok(None));
    }

    #[test]
    fn a_composite_checksum_counts_its_parts() {
        let parts = [Algorithm::Crc32.of(b"one"), Algorithm::Crc32.of(b"two")];
        let whole = Checksum::composite(Algorithm::Crc32, &parts).expect("base64");
        assert!(whole.value.ends_with("-2"));
        assert_eq!(whole.kind(), "COMPOSITE");
    }
}
