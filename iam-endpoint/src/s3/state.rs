//! What S3 keeps: buckets, their objects with every version, and uploads in progress.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::HeaderMap;
use iam_policy::Policy;
use time::OffsetDateTime;

use super::acl::Ownership;
use super::checksum::{Algorithm, Checksum};
use super::fault::{self, Fault};
use super::lock::{self, Lock};
use crate::sorted::Sorted;
use crate::table::Table;

/// All buckets of an endpoint.
///
/// One lock is enough: it is held while maps are read or changed, never while policies are decided or bodies hashed.
#[derive(Default)]
pub(crate) struct State {
    buckets: Mutex<Table<Bucket>>,
    /// What accounts block in all their buckets.
    blocks: Mutex<Sorted<PublicAccessBlock>>,
}

impl State {
    /// Works on all buckets.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Table<Bucket>) -> T) -> T {
        work(&mut self.buckets())
    }

    fn buckets(&self) -> MutexGuard<'_, Table<Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an account blocks in all its buckets; nothing at first.
    pub(super) fn block_of(&self, account: &str) -> PublicAccessBlock {
        self.with_blocks(|blocks| blocks.get(account).copied().unwrap_or_default())
    }

    /// Works on what accounts block in all their buckets.
    pub(super) fn with_blocks<T>(&self, work: impl FnOnce(&mut Sorted<PublicAccessBlock>) -> T) -> T {
        work(&mut self.blocks.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Works on one bucket.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`, and what `work` finds.
    pub(super) fn bucket<T>(
        &self,
        name: &str,
        work: impl FnOnce(&mut Bucket) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut buckets = self.buckets();
        work(existing(&mut buckets, name)?)
    }
}

fn existing<'b>(buckets: &'b mut Table<Bucket>, name: &str) -> Result<&'b mut Bucket, Fault> {
    buckets.get_mut(name).ok_or_else(|| no_such_bucket(name))
}

pub(super) fn no_such_bucket(name: &str) -> Fault {
    fault::NO_SUCH_BUCKET.fault().with("BucketName", name)
}

pub(super) struct Bucket {
    /// The account that it belongs to, and with it all that is in it.
    pub(super) owner: String,
    pub(super) created: OffsetDateTime,
    /// The region it is in.
    pub(super) region: String,
    /// `None` where the setting was deleted, which means the same as [`Ownership::ObjectWriter`].
    pub(super) ownership: Option<Ownership>,
    pub(super) policy: Option<BucketPolicy>,
    pub(super) public_access: Option<PublicAccessBlock>,
    pub(super) tags: Tags,
    /// The sub-resources that are only kept, by their keys in the query.
    pub(super) documents: Table<Bytes>,
    /// The documents of those that have several, by their keys in the query and then by their ids.
    pub(super) listed: Sorted<Sorted<Bytes>>,
    pub(super) versioning: Versioning,
    /// `None` where versions cannot be locked.
    pub(super) object_lock: Option<lock::Configuration>,
    /// Every key's versions, the newest last. A key without versions is not here.
    pub(super) objects: Table<Vec<Version>>,
    /// Every key's uploads in progress, the newest last.
    pub(super) uploads: Table<Vec<Upload>>,
}

/// A bucket's policy: the document as it was put, which `GetBucketPolicy` gives back to the letter.
#[derive(Clone)]
pub(super) struct BucketPolicy {
    pub(super) text: Bytes,
    pub(super) policy: Policy,
    pub(super) is_public: bool,
}

/// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are AWS's own four switches")]
pub(super) struct PublicAccessBlock {
    pub(super) block_public_acls: bool,
    pub(super) ignore_public_acls: bool,
    pub(super) block_public_policy: bool,
    pub(super) restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    /// What every new bucket has since April 2023.
    pub(super) const ALL: Self = Self {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Versioning {
    #[default]
    Never,
    Enabled,
    Suspended,
}

/// Tags in the order in which they were put.
pub(super) type Tags = Vec<(String, String)>;

#[derive(Clone)]
pub(super) struct Version {
    /// `null` for what was put while the bucket kept no versions.
    pub(super) id: String,
    pub(super) modified: OffsetDateTime,
    /// `None` is a delete marker.
    pub(super) object: Option<Arc<Object>>,
    pub(super) tags: Tags,
    pub(super) lock: Lock,
}

/// The id of a version that was put while the bucket kept none.
pub(super) const NULL_VERSION: &str = "null";

/// An object's data and metadata, which never change once stored.
#[derive(Clone)]
pub(super) struct Object {
    pub(super) body: Bytes,
    /// In double quotes, as it is answered.
    pub(super) etag: String,
    /// What the client said about it and gets back with it: content headers, user metadata, storage class, encryption.
    pub(super) headers: HeaderMap,
    pub(super) checksum: Option<Checksum>,
    /// The parts of a multipart upload; empty for any other.
    pub(super) parts: Vec<Piece>,
}

pub(super) struct Upload {
    pub(super) id: String,
    pub(super) initiated: OffsetDateTime,
    pub(super) headers: HeaderMap,
    pub(super) tags: Tags,
    /// What `x-amz-checksum-algorithm` named.
    pub(super) algorithm: Option<Algorithm>,
    /// Whether the object's checksum will be one over the parts' checksums, and not over its body.
    pub(super) is_composite: bool,
    /// In the order of their numbers.
    pub(super) parts: Vec<(u16, Part)>,
    /// The headers of its creation that decisions about its parts ask for, too.
    pub(super) conditions: Conditions,
}

/// Names and values of headers.
pub(super) type Conditions = Vec<(&'static str, String)>;

#[derive(Clone)]
pub(super) struct Part {
    pub(super) body: Bytes,
    pub(super) md5: [u8; 16],
    pub(super) modified: OffsetDateTime,
    pub(super) checksum: Option<Checksum>,
}

/// What is left of a part once it is a piece of an object.
#[derive(Clone)]
pub(super) struct Piece {
    /// In bytes.
    pub(super) size: usize,
    pub(super) checksum: Option<Checksum>,
}

impl Bucket {
    pub(super) fn new(owner: String, created: OffsetDateTime, region: String) -> Self {
        Self {
            owner,
            created,
            region,
            ownership: Some(Ownership::BucketOwnerEnforced),
            policy: None,
            public_access: Some(PublicAccessBlock::ALL),
            tags: Tags::new(),
            documents: Table::new(),
            listed: Sorted::default(),
            versioning: Versioning::Never,
            object_lock: None,
            objects: Table::new(),
            uploads: Table::new(),
        }
    }

    pub(super) fn acls_enabled(&self) -> bool {
        self.ownership != Some(Ownership::BucketOwnerEnforced)
    }

    /// The version named, or the newest one; it may be a delete marker.
    pub(super) fn version(&self, key: &str, id: Option<&str>) -> Option<&Version> {
        let versions = self.objects.get(key)?;
        match id {
            None => versions.last(),
            Some(id) => versions.iter().find(|version| version.id == id),
        }
    }

    pub(super) fn version_mut(&mut self, key: &str, id: Option<&str>) -> Option<&mut Version> {
        let versions = self.objects.get_mut(key)?;
        match id {
            None => versions.last_mut(),
            Some(id) => versions.iter_mut().find(|version| version.id == id),
        }
    }

    /// Stores a new newest version as the bucket's versioning and Object Lock have it; gives its id.
    pub(super) fn push(
        &mut self,
        key: &str,
        object: Arc<Object>,
        tags: Tags,
        lock: Lock,
        modified: OffsetDateTime,
    ) -> String {
        let lock = lock.or_default(self.object_lock, modified);
        self.push_version(key, |id| Version { id, modified, object: Some(object), tags, lock })
    }

    /// The same for a delete marker, which nothing locks.
    pub(super) fn push_marker(&mut self, key: &str, modified: OffsetDateTime) -> String {
        let (tags, lock) = (Tags::new(), Lock::default());
        self.push_version(key, |id| Version { id, modified, object: None, tags, lock })
    }

    fn push_version(&mut self, key: &str, version: impl FnOnce(String) -> Version) -> String {
        let id = match self.versioning {
            Versioning::Enabled => new_id(),
            Versioning::Never | Versioning::Suspended => NULL_VERSION.to_owned(),
        };
        let versions = self.objects.or_insert_with(key.to_owned(), Vec::new);
        if id == NULL_VERSION {
            versions.retain(|version| version.id != NULL_VERSION);
        }
        versions.push(version(id.clone()));
        id
    }

    /// Deletes one version for good.
    pub(super) fn remove(&mut self, key: &str, id: &str) -> Option<Version> {
        let versions = self.objects.get_mut(key)?;
        let at = versions.iter().position(|version| version.id == id)?;
        let version = versions.remove(at);
        if versions.is_empty() {
            self.objects.remove(key);
        }
        Some(version)
    }

    pub(super) fn upload(&mut self, key: &str, id: &str) -> Result<&mut Upload, Fault> {
        let uploads = self.uploads.get_mut(key);
        let upload = uploads.and_then(|uploads| uploads.iter_mut().find(|upload| upload.id == id));
        upload.ok_or_else(|| fault::NO_SUCH_UPLOAD.fault().with("UploadId", id))
    }

    pub(super) fn remove_upload(&mut self, key: &str, id: &str) -> Option<Upload> {
        let uploads = self.uploads.get_mut(key)?;
        let at = uploads.iter().position(|upload| upload.id == id)?;
        let upload = uploads.remove(at);
        if uploads.is_empty() {
            self.uploads.remove(key);
        }
        Some(upload)
    }
}

/// An id as S3 gives versions and uploads: 32 letters and digits.
pub(super) fn new_id() -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(32).collect()
}
