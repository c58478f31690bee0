//! The store of the tables, as the query engine asks for it: byte ranges of files whose sizes the tables know.
//!
//! One way to the bytes, wherever they lie: limits, retries and credentials stay with the store that was handed in.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use datafusion::object_store::path::Path;
use datafusion::object_store::{
    Attributes, CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    OBJECT_STORE_COALESCE_DEFAULT, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    coalesce_ranges,
};
use domain::ports::{Blob, BlobError};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};

/// What the engine calls this store in its messages.
const NAME: &str = "tables";

/// The files of all tables in a session.
pub(super) struct StoredFiles {
    blob: Arc<dyn Blob>,
    sizes: HashMap<String, u64>,
}

impl StoredFiles {
    /// Files by path, with their sizes.
    pub fn new(blob: Arc<dyn Blob>, sizes: HashMap<String, u64>) -> Self {
        Self { blob, sizes }
    }

    fn size(&self, location: &Path) -> Result<u64> {
        let absent = || Error::NotFound { path: location.to_string(), source: "no table lists it".into() };
        self.sizes.get(location.as_ref()).copied().ok_or_else(absent)
    }

    /// The store is asked on a thread that may wait.
    async fn read(&self, location: &Path, range: Range<u64>) -> Result<bytes::Bytes> {
        let (blob, path) = (Arc::clone(&self.blob), location.to_string());
        let read = tokio::task::spawn_blocking(move || blob.get_range(&path, range)).await?;
        read.map(bytes::Bytes::from).map_err(|e| failed(location, &e))
    }
}

fn failed(location: &Path, error: &BlobError) -> Error {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    let source = format!("{error}{cause}").into();
    match error {
        BlobError::NotFound(_) => Error::NotFound { path: location.to_string(), source },
        _ => Error::Generic { store: NAME, source },
    }
}

fn refused<T>(operation: &str) -> Result<T> {
    Err(Error::NotImplemented { operation: operation.to_owned(), implementer: NAME.to_owned() })
}

impl std::fmt::Debug for StoredFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StoredFiles({})", self.sizes.len())
    }
}

impl std::fmt::Display for StoredFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(NAME)
    }
}

#[async_trait::async_trait]
impl ObjectStore for StoredFiles {
    #[expect(clippy::default_trait_access, reason = "the type of an instant is another library's; nobody asks for it")]
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let size = self.size(location)?;
        let range = match options.range.as_ref().map(|range| range.as_range(size)) {
            Some(Ok(range)) => range,
            Some(Err(e)) => return Err(Error::Generic { store: NAME, source: Box::new(e) }),
            None => 0..size,
        };
        let bytes = if options.head { bytes::Bytes::new() } else { self.read(location, range.clone()).await? };
        let meta = ObjectMeta { location: location.clone(), last_modified: Default::default(), size, e_tag: None, version: None };
        let payload = GetResultPayload::Stream(stream::iter([Ok(bytes)]).boxed());
        Ok(GetResult { payload, meta, range, attributes: Attributes::new() })
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<bytes::Bytes>> {
        coalesce_ranges(ranges, |range| self.read(location, range), OBJECT_STORE_COALESCE_DEFAULT).await
    }

    async fn put_opts(&self, _location: &Path, _payload: PutPayload, _options: PutOptions) -> Result<PutResult> {
        refused("writing")
    }

    async fn put_multipart_opts(&self, _location: &Path, _options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        refused("writing")
    }

    fn delete_stream(&self, _locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        stream::iter([refused("deleting")]).boxed()
    }

    fn list(&self, _prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::iter([refused("listing")]).boxed()
    }

    async fn list_with_delimiter(&self, _prefix: Option<&Path>) -> Result<ListResult> {
        refused("listing")
    }

    async fn copy_opts(&self, _from: &Path, _to: &Path, _options: CopyOptions) -> Result<()> {
        refused("copying")
    }
}
